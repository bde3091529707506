"""team.py - several processes of one thread train one network.

On small matrices two processes with a thread each are faster than two threads
of one.  The weights lie in shared memory; each worker takes the gradients of
its own rows, then all together each steps an equal share of the weights.
"""

import time

import torch
import torch.multiprocessing as multiprocessing

import optimizer


def prepare():
    """One thread, and no numbers so small that they are slow."""
    torch.set_flush_denormal(True)
    torch.set_num_threads(1)


class Team:
    def __init__(self, workers):
        self.workers = workers
        self.barrier = multiprocessing.Barrier(workers)
        self.norms = torch.zeros(workers).share_memory_()
        self.numbers = torch.zeros(workers).share_memory_()
        self.rank = 0

    def share(self, model):
        """Puts the weights of model where all workers see them."""
        model.share_memory()
        self.gradients = [
            [torch.zeros_like(p).share_memory_() for p in model.parameters()]
            for _ in range(self.workers)]

    def run(self, work, *arguments):
        """work(team, *arguments) in each worker; rank 0 is this process."""
        context = multiprocessing.get_context("fork")
        others = []
        for rank in range(1, self.workers):
            other = context.Process(target=self._start,
                                    args=(rank, work, arguments), daemon=True)
            other.start()
            others.append(other)
        self._start(0, work, arguments)
        for other in others:
            other.join()

    def _start(self, rank, work, arguments):
        self.rank = rank
        try:
            work(self, *arguments)
        except BaseException:
            self.barrier.abort()
            raise

    def mine(self, parameters):
        """The share of the (name, parameter)s that this worker steps."""
        load, chosen = [0] * self.workers, []
        costs = [(optimizer.cost(name, p), p) for name, p in parameters]
        for cost, p in sorted(costs, key=lambda pair: -pair[0]):
            least = load.index(min(load))
            load[least] += cost
            if least == self.rank:
                chosen.append(p)
        return {id(p) for p in chosen}

    def steps(self, minutes):
        """(step, share of the time that is over), for all workers alike,
        until all of it is."""
        start, step = time.time(), 0
        while True:
            done = self.mean(time.time() - start) / (60 * minutes)
            if done >= 1:
                return
            yield step, done
            step += 1

    def mean(self, number):
        """The mean over the workers."""
        self.numbers[self.rank] = number
        self.barrier.wait()
        mean = float(self.numbers.mean())
        self.barrier.wait()
        return mean

    def step(self, model, optimizers, rate, clip=1.0):
        """Adds up the gradients, then each worker steps its share."""
        parameters = list(model.parameters())
        for p, shared in zip(parameters, self.gradients[self.rank]):
            if p.grad is None:
                shared.zero_()
            else:
                shared.copy_(p.grad)
        self.barrier.wait()
        mine = {id(p) for one in optimizers for group in one.param_groups
                for p in group["params"]}
        square = 0.0
        for i, p in enumerate(parameters):
            if id(p) in mine:
                # The gradients of this worker serve as the place of the sum.
                total = self.gradients[self.rank][i]
                for r in range(self.workers):
                    if r != self.rank:
                        total.add_(self.gradients[r][i])
                p.grad = total.div_(self.workers)
                square += float(total.norm()) ** 2
            else:
                p.grad = None
        self.norms[self.rank] = square
        self.barrier.wait()
        scale = min(1.0, clip / (float(self.norms.sum()) ** 0.5 + 1e-6))
        for one in optimizers:
            for group in one.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
                for p in group["params"]:
                    p.grad.mul_(scale)
            one.step()
        for p in parameters:
            p.grad = None
        self.barrier.wait()
