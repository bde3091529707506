#!/bin/sh
# make_fixtures.sh - makes fixtures/ anew from the independent implementations.
#
# Needs python3-torch (encoder), python3-sklearn (evaluation) and node with npm
# (tokenizer); npm's packages go to a temporary folder outside of the tree.  The
# fixtures are committed, so that the tests need none of them.
#
# SPDX-License-Identifier: PostgreSQL
set -eu
cd "$(dirname "$0")"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

/usr/bin/python3 make_encoder_fixture.py
/usr/bin/python3 make_evaluation_fixture.py
npm install --silent --no-audit --no-fund --prefix "$folder" \
    tokenizers@0.23.2 @huggingface/tokenizers@0.2.0
node make_tokenizer_fixture.mjs "$folder/node_modules" fixtures
