"""make_model.py - one command per model.

    python3 models/recipes/make_model.py base      --data ../shared/data
    python3 models/recipes/make_model.py mini      --data ../shared/data
    python3 models/recipes/make_model.py tickets   --data ../shared/data
    python3 models/recipes/make_model.py sentiment --data ../shared/data
    python3 models/recipes/make_model.py spam      --data ../shared/data

--data is the folder with the data sets that README.md lists, --more the one
with the further sets, which are left out where they are missing.  The base
learns from the mini in the end, so that both are trained with it; the mini and
the tasks need what it left in --work.  figures.py measures what came out.
"""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LEXICAL_SIZES = {"base": 640, "mini": 320}
# Options and minutes of two cores.
ADAPTERS = {"spam": ([], 1.5),
            "sentiment": (["--rank", "4", "--rate", "1e-3"], 20)}
WORDS = {"mini": ["tickets"], "tickets": ["tickets", "--rows", "4096"],
         "sentiment": ["sentiment"]}
# Whose head is calibrated; the words are added afterwards.
CALIBRATED = {"base": "base", "mini": "mini", "tickets": "base"}
# By SST-2's dev part and the written opinions that judge: 1.25 of the words by
# one of the embedding, at half of their size.
EXPORTS = {"tickets": ["--head-of", "base.pt"],
           "sentiment": ["--temperature", "2.0", "--words-share", "0.625"]}


def run(script, *arguments):
    print("==", script, *arguments, flush=True)
    return subprocess.run([sys.executable, str(HERE / script), *arguments],
                          check=True, stdout=subprocess.PIPE if
                          script == "calibrate.py" else None, text=True).stdout


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["base", "mini", "tickets",
                                         "sentiment", "spam"])
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--more", default="../shared/more")
    parser.add_argument("--work", default="build/model",
                        help="vocabulary, token streams, unfinished weights")
    parser.add_argument("--out", default=str(HERE.parent))
    parser.add_argument("--time", type=float, default=1.0,
                        help="all stages take this many times as long")
    arguments = parser.parse_args()
    work = ["--work", arguments.work]
    data = ["--data", arguments.data, "--more", arguments.more, *work]

    def minutes(count):
        return ["--minutes", str(count * arguments.time)]

    options = list(EXPORTS.get(arguments.what, []))
    if arguments.what == "base":
        run("prepare.py", *data)
        run("word_vectors.py", *work)
        run("pretrain.py", *work, *minutes(50))
        run("contrast.py", *data, *minutes(120))
        run("distill.py", *data, *minutes(45))
        run("refine.py", *data, *minutes(58))
    elif arguments.what in ADAPTERS:
        chosen, time = ADAPTERS[arguments.what]
        run("adapter.py", "--task", arguments.what, *data, *chosen,
            *minutes(time))
    if arguments.what in ("base", "mini"):
        run("head.py", "--data", arguments.data, *work,
            "--model", arguments.what + ".pt")
    if arguments.what in WORDS:
        words = arguments.what + "-words.pt"
        run("words.py", "--task", *WORDS[arguments.what], *data, "--out", words)
        options += ["--words", words]
    if arguments.what in CALIBRATED:
        found = run("calibrate.py", CALIBRATED[arguments.what], *work)
        options += re.search("--temperature.*", found).group().split()
    directory = "%s/insitu-%s-en" % (arguments.out, arguments.what)
    run("export.py", arguments.what, *work, *options, "--out", directory)
    if arguments.what in LEXICAL_SIZES:
        run("lexical.py", directory, "--data", arguments.data,
            "--size", str(LEXICAL_SIZES[arguments.what]))


if __name__ == "__main__":
    main()
