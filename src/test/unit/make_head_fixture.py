#!/usr/bin/python3
"""make_head_fixture.py - what test_head.c expects, solved independently.

Makes the rows of test_head.c (make_rows there), minimises mean softmax loss
+ l2 / 2 |W|^2 over standardised features with Newton's method in 64-bit
floats, and prints the solution over the features as they came, as C.

Needs numpy; run by hand: python3 make_head_fixture.py

SPDX-License-Identifier: PostgreSQL
"""
import numpy

ROWS, COLUMNS, LABELS = 200, 4, 3
L2 = 0.01


def make_rows():
    state = 12345
    features = numpy.zeros((ROWS, COLUMNS))
    targets = numpy.zeros(ROWS, dtype=int)
    for i in range(ROWS):
        noise = 0
        for j in range(COLUMNS + 1):
            state = (state * 1103515245 + 12345) % 2 ** 31
            number = (state >> 16) % 256 - 128
            if j < COLUMNS:
                features[i, j] = number * (j + 1) + 100 * j
            else:
                noise = number
        score = features[i, 0] - features[i, 1] + 100 + noise
        targets[i] = 0 if score < -60 else 1 if score < 60 else 2
    weights = numpy.array([1.0 + i % 3 for i in range(ROWS)])
    return features, targets, weights


def solve(features, targets, weights):
    means, deviations = features.mean(0), features.std(0)
    rows = numpy.hstack([(features - means) / deviations,
                         numpy.ones((ROWS, 1))])
    weights = weights / weights.sum()
    size = COLUMNS + 1
    penalty = numpy.tile([L2] * COLUMNS + [0], LABELS)
    solution = numpy.zeros(LABELS * size)
    wanted = numpy.eye(LABELS)[targets]
    for _ in range(100):
        logits = rows @ solution.reshape(LABELS, size).T
        logits -= logits.max(1, keepdims=True)
        chances = numpy.exp(logits)
        chances /= chances.sum(1, keepdims=True)
        gradient = ((chances - wanted) * weights[:, None]).T @ rows
        gradient = gradient.ravel() + penalty * solution
        curvature = numpy.diag(penalty)
        for a in range(LABELS):
            for b in range(LABELS):
                factor = weights * chances[:, a] * ((a == b) - chances[:, b])
                curvature[a * size:(a + 1) * size,
                          b * size:(b + 1) * size] += (
                    rows.T * factor) @ rows
        solution -= numpy.linalg.lstsq(curvature, gradient, rcond=1e-12)[0]
    logits = rows @ solution.reshape(LABELS, size).T
    top = logits.max(1)
    sums = top + numpy.log(numpy.exp(logits - top[:, None]).sum(1))
    loss = (weights * (sums - logits[numpy.arange(ROWS), targets])).sum()
    loss += (penalty * solution ** 2).sum() / 2
    matrix = solution.reshape(LABELS, size)
    out = matrix[:, :COLUMNS] / deviations
    bias = matrix[:, COLUMNS] - out @ means
    return out, bias - bias.mean(), loss, abs(gradient).max()


def main():
    out, bias, loss, largest = solve(*make_rows())
    print('/* largest component of the gradient: %.1e */' % largest)
    print('static const double expected_out[LABELS][COLUMNS] = {')
    for row in out:
        print('    {%s},' % ', '.join('%.10f' % value for value in row))
    print('};')
    print('static const double expected_bias[LABELS] = {%s};' %
          ', '.join('%.10f' % value for value in bias))
    print('static const double expected_loss = %.10f;' % loss)


if __name__ == '__main__':
    main()
