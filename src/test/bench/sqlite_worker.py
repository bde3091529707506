#!/usr/bin/python3
"""sqlite_worker.py - insitu in SQLite in a process of its own.

    sqlite_worker.py model texts.json

Commands and answers as lembed_worker.py; runs without the memo.

SPDX-License-Identifier: PostgreSQL
"""
import json
import sys

from bench_sql import SQLite


def main():
    directory, path = sys.argv[1:]
    with open(path, encoding='utf-8') as file:
        database = SQLite(directory, json.load(file))
    for line in sys.stdin:
        command, _, argument = line.rstrip('\n').partition(' ')
        if command == 'version':
            answer = ''
        elif command == 'embed':
            answer = database.embed(argument)
        else:
            answer = database.run('alone', *map(int, argument.split()))
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
