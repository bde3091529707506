"""make_model.py - the whole recipe: vocabulary, pre-training, both heads,
export, figures.

    python3 models/recipe/make_model.py --data ../shared/data

--data is the folder with the data sets that README.md lists.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def run(script, *arguments):
    print("==", script, *arguments, flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments],
                   check=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--work", default="build/model",
                        help="vocabulary and unfinished weights")
    parser.add_argument("--out", default=str(HERE.parent / "insitu-router-v1"))
    parser.add_argument("--pretrain-minutes", default="22")
    parser.add_argument("--train-minutes", default="18")
    arguments = parser.parse_args()
    places = ["--data", arguments.data, "--work", arguments.work]
    run("pretrain.py", *places, "--minutes", arguments.pretrain_minutes)
    run("train.py", *places, "--minutes", arguments.train_minutes)
    run("export.py", "--work", arguments.work, "--out", arguments.out)
    run("evaluate.py", "--data", arguments.data, "--model", arguments.out)


if __name__ == "__main__":
    main()
