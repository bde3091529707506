#!/usr/bin/python3
"""lembed_worker.py - sqlite-lembed in a process of its own.

    lembed_worker.py library model.gguf texts.json

Reads one command per line: "version", "embed <text>" or "run <n> <rows>";
answers with a line of JSON: a string, a list of floats, or seconds.

SPDX-License-Identifier: PostgreSQL
"""
import json
import sqlite3
import struct
import sys
import time


def embed(connection, text):
    (data,) = connection.execute("SELECT lembed('bench', ?)",
                                 (text,)).fetchone()
    return struct.unpack('<%df' % (len(data) // 4), data)


def run(connection, length, rows):
    start = time.perf_counter()
    connection.execute(
        "SELECT sum(length(lembed('bench', body))) FROM "
        '(SELECT body FROM texts WHERE n = ? LIMIT ?)',
        (length, rows)).fetchall()
    return time.perf_counter() - start


def main():
    library, gguf, texts = sys.argv[1:]
    connection = sqlite3.connect(':memory:')
    connection.enable_load_extension(True)
    connection.load_extension(library)
    connection.execute('CREATE TABLE texts (n int, body text)')
    with open(texts, encoding='utf-8') as file:
        connection.executemany('INSERT INTO texts VALUES (?, ?)',
                               json.load(file))
    connection.execute(
        'INSERT INTO temp.lembed_models(name, model) '
        "SELECT 'bench', lembed_model_from_file(?)", (gguf,))
    for line in sys.stdin:
        command, _, argument = line.rstrip('\n').partition(' ')
        if command == 'version':
            answer = connection.execute('SELECT lembed_version()') \
                .fetchone()[0]
        elif command == 'embed':
            answer = embed(connection, argument)
        else:
            answer = run(connection, *map(int, argument.split()))
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
