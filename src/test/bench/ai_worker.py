#!/usr/bin/python3
"""ai_worker.py - npm's sqlite-ai in a process of its own, for bench_peers.py.

    ai_worker.py ai.so model.gguf texts.json threads

Commands and answers as lembed_worker.py.

SPDX-License-Identifier: PostgreSQL
"""
import json
import sqlite3
import struct
import sys
import time

OPTIONS = ('embedding_type=FLOAT32,pooling_type=mean,normalize_embedding=1,'
           'n_threads=%s,n_threads_batch=%s')


def main():
    library, gguf, texts, threads = sys.argv[1:]
    connection = sqlite3.connect(':memory:')
    connection.enable_load_extension(True)
    connection.execute('SELECT load_extension(?, ?)',
                       (library, 'sqlite3_ai_init'))
    connection.execute('CREATE TABLE texts (n int, body text)')
    with open(texts, encoding='utf-8') as file:
        connection.executemany('INSERT INTO texts VALUES (?, ?)',
                               json.load(file))
    connection.execute("SELECT llm_model_load(?, 'gpu_layers=0')", (gguf,))
    connection.execute('SELECT llm_context_create_embedding(?)',
                       (OPTIONS % (threads, threads),))
    for line in sys.stdin:
        command, _, argument = line.rstrip('\n').partition(' ')
        if command == 'version':
            answer = connection.execute('SELECT ai_version()').fetchone()[0]
        elif command == 'embed':
            (data,) = connection.execute('SELECT llm_embed_generate(?)',
                                         (argument,)).fetchone()
            answer = struct.unpack('<%df' % (len(data) // 4), data)
        else:
            length, rows = map(int, argument.split())
            start = time.perf_counter()
            connection.execute(
                'SELECT sum(length(llm_embed_generate(body))) FROM (SELECT '
                'body FROM texts WHERE n = ? LIMIT ?)',
                (length, rows)).fetchall()
            answer = time.perf_counter() - start
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
