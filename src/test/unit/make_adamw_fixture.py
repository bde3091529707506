#!/usr/bin/python3
"""make_adamw_fixture.py - what torch.optim.AdamW makes of the vector that
test_adamw.c has; prints adamw_table.h.

    /usr/bin/python3 src/test/unit/make_adamw_fixture.py \\
        >src/test/unit/adamw_table.h

SPDX-License-Identifier: PostgreSQL
"""
import torch

FIRST, SECOND, STEPS, WARMUP = 600, 45, 10, 0.2


def values(step, first, count):
    """Exact in float32; the same formula as in the test."""
    return torch.tensor([((i * 37 + step * 11) % 101 - 50) / 64
                         for i in range(first, first + count)])


def rate(step):
    rising = int(WARMUP * STEPS)
    if step < rising:
        return (step + 1) / rising
    return (STEPS - step) / (STEPS - rising)


def main():
    weights = torch.nn.Parameter(values(0, 0, FIRST))
    biases = torch.nn.Parameter(values(0, FIRST, SECOND))
    optimiser = torch.optim.AdamW(
        [{'params': [weights], 'weight_decay': 0.05, 'factor': 1},
         {'params': [biases], 'weight_decay': 0, 'factor': 3}], lr=1)
    for step in range(STEPS):
        # The later ones are below the norm at which torch begins to clip.
        size = 1 if step < 5 else 1 / 64
        weights.grad = values(step + 1, 0, FIRST) * size
        biases.grad = values(step + 1, FIRST, SECOND) * size
        torch.nn.utils.clip_grad_norm_([weights, biases], 1.0)
        for group in optimiser.param_groups:
            group['lr'] = 1e-2 * rate(step) * group['factor']
        optimiser.step()
    print('/*\n * adamw_table.h - made by make_adamw_fixture.py with torch %s:'
          '\n * every seventh value after %d steps.\n *\n'
          ' * SPDX-License-Identifier: PostgreSQL\n */' % (
              torch.__version__.split('+')[0], STEPS))
    print('static const double adamw_expected[] = {')
    for value in torch.cat([weights, biases])[::7].tolist():
        print('    %.9g,' % value)
    print('};')


if __name__ == '__main__':
    main()
