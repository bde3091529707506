"""optimizer.py - steps for matrices of equal strength in all directions.

Muon (Jordan et al., 2024): the momentum of a weight matrix is replaced by the
nearest matrix whose singular values are all one, found by a Newton-Schulz
iteration; scaled as by Liu et al. (2025), so that rates and decay of Adam
serve.  Everything that is no hidden matrix is left to AdamW.
"""

import cpu

import torch

STEPS = 5
# Adam moves the vector of a rare word, whose gradients are next to nothing, as
# far as that of a frequent one: what it started with would be lost.
WORDS_SCALE = 0.15
# What is neither matrix nor word vector.
REST_SCALE = 0.5


def orthogonal(matrix):
    """The nearest matrix with singular values near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    flat = matrix.t() if matrix.shape[0] > matrix.shape[1] else matrix
    x = flat.contiguous() / (flat.norm() + 1e-7)
    # The iteration need not be exact, only quick (Jordan et al., 2024).
    x = x.bfloat16() if cpu.HALF else x
    for _ in range(STEPS):
        gram = x @ x.t()
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    x = x.float()
    return x.t() if matrix.shape[0] > matrix.shape[1] else x


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(parameters, dict(lr=lr, momentum=momentum,
                                          weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                kept = state["momentum"].mul_(group["momentum"]).add_(p.grad)
                ahead = p.grad + group["momentum"] * kept
                p.mul_(1 - group["lr"] * group["weight_decay"])
                for part, into in zip(self.blocks(ahead), self.blocks(p)):
                    into.add_(orthogonal(part), alpha=-group["lr"] * 0.2 *
                              max(part.shape) ** 0.5)

    @staticmethod
    def blocks(p):
        """query, key and value, which lie in one matrix, each by itself."""
        if p.shape[0] == 3 * p.shape[1]:
            return p.chunk(3)
        return (p,)


def is_matrix(name, p):
    """Whether it is one of the layers' matrices."""
    return p.dim() == 2 and ".layers." in "." + name


def cost(name, p):
    """What a step of it takes: iterations over a matrix, or a few readings."""
    return p.numel() * (5 if is_matrix(name, p) else 1)


def build(model, rate, mine, decay=0.01):
    """Muon for the matrices of the layers, AdamW for the rest; only for the
    parameters whose id is in mine."""
    matrices, words, rest = [], [], []
    for name, p in model.named_parameters():
        if id(p) not in mine:
            continue
        if is_matrix(name, p):
            matrices.append(p)
        else:
            (words if name.endswith("words.weight") else rest).append(p)
    groups = [dict(params=ps, scale=scale) for ps, scale in
              ((words, WORDS_SCALE), (rest, REST_SCALE)) if ps]
    return [one for one in (
        matrices and Muon(matrices, rate, weight_decay=decay),
        groups and torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98),
                                     weight_decay=decay)) if one]
