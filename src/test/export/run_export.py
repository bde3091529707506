#!/usr/bin/python3
"""run_export.py - models go out as directories and come in again.

For each model of src/test/parity/fixtures, for models with each kind of head
that an export can have, and for the shipped one: the directory that
export_model writes gives the same pack as the source (f32), the same ids,
scores and embeddings (int8, f16), and torch computes the same from it.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, '..', '..', '..'))
FIXTURES = os.path.join(ROOT, 'src', 'test', 'parity', 'fixtures')
SHIPPED = os.path.join(ROOT, 'models', 'insitu-mini-en')
TEXTS = ['I was charged twice for my order', 'Hello!', '',
         'Where is my DELIVERY? It should have come on the 3rd.',
         'na\u00efve caf\u00e9 \u4e2d\u6587 [MASK] unbelievable']
LABELS = {str(i): name for i, name in
          enumerate(['one', 'two', '\u00fc \u4e2d', 'four "4"'])}
# Largest differences: of int8 rounded twice, of f16, of torch.
LIMITS, TORCH = {'f32': 2e-6, 'f16': 5e-3}, 2e-5

try:
    from torch_model import Model
except ImportError:
    Model = None


# --- models that an export can have -----------------------------------------

def read_safetensors(path):
    with open(path, 'rb') as file:
        length, = struct.unpack('<Q', file.read(8))
        return json.loads(file.read(length)), file.read()


def write_safetensors(path, header, data):
    text = json.dumps(header).encode()
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def add_tensor(header, data, name, shape, dice):
    count = 1
    for size in shape:
        count *= size
    values = [dice.uniform(-0.3, 0.3) for _ in range(count)]
    header[name] = {'dtype': 'F32', 'shape': shape,
                    'data_offsets': [len(data), len(data) + 4 * count]}
    return data + struct.pack('<%df' % count, *values)


def make_own_head(source, target, head, labels, multi_label=False):
    """A copy of an encoder with a head of ours."""
    shutil.copytree(source, target)
    path = os.path.join(target, 'config.json')
    with open(path, encoding='utf-8') as file:
        config = json.load(file)
    config['insitu_head'] = head
    config['id2label'] = labels
    config['problem_type'] = ('multi' if multi_label else 'single') + \
        '_label_classification'
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(config, file)
    path = os.path.join(target, 'model.safetensors')
    header, data = read_safetensors(path)
    # The source's own head gives way.
    names = [name for name in header if name != '__metadata__' and
             not name.startswith(('classifier', 'pre_classifier')) and
             'pooler' not in name]
    kept, packed = {}, b''
    for name in names:
        begin, end = header[name]['data_offsets']
        kept[name] = dict(header[name], data_offsets=[
            len(packed), len(packed) + end - begin])
        packed += data[begin:end]
    hidden = config.get('hidden_size') or config['dim']
    prefix = 'bert.' if any(name.startswith('bert.') for name in names) \
        else ''
    dice = random.Random(7)
    if 'dense' in head:
        dense = prefix + 'pooler.dense' if config['model_type'] == 'bert' \
            else 'pre_classifier'
        packed = add_tensor(kept, packed, dense + '.weight',
                            [hidden, hidden], dice)
        packed = add_tensor(kept, packed, dense + '.bias', [hidden], dice)
    packed = add_tensor(kept, packed, 'classifier.weight',
                        [len(labels), hidden], dice)
    packed = add_tensor(kept, packed, 'classifier.bias', [len(labels)], dice)
    if 'words' in head:
        packed = add_tensor(kept, packed, 'word_classifier.weight',
                            [head['words'], len(labels)], dice)
    write_safetensors(path, kept, packed)


def make_head_adapter(base, whole, target):
    """The head of a whole model as an adapter of its base."""
    os.mkdir(target)
    header, data = read_safetensors(os.path.join(whole, 'model.safetensors'))
    kept, packed = {}, b''
    for name in header:
        if 'classifier' in name:
            begin, end = header[name]['data_offsets']
            kept['base_model.model.' + name] = dict(
                header[name],
                data_offsets=[len(packed), len(packed) + end - begin])
            packed += data[begin:end]
    write_safetensors(os.path.join(target, 'adapter_model.safetensors'), kept,
                      packed)
    with open(os.path.join(whole, 'config.json'), encoding='utf-8') as file:
        config = json.load(file)
    for name, content in (
            ('config.json', {key: config[key] for key in (
                'insitu_head', 'id2label', 'problem_type')}),
            ('adapter_config.json', {
                'peft_type': 'LORA', 'base_model_name_or_path': base,
                'target_modules': [],
                'modules_to_save': ['classifier', 'word_classifier']})):
        with open(os.path.join(target, name), 'w', encoding='utf-8') as file:
            json.dump(content, file)


def list_sources(work):
    """(name, directory) of every model."""
    sources = [(name, os.path.join(FIXTURES, name))
               for name in sorted(os.listdir(FIXTURES))
               if name.startswith('encoder_')]
    heads = [
        ('pooled', 'encoder_bert_mean', {'reads': 'embedding'}, False),
        ('pooled_multi', 'encoder_bert_max', {'reads': 'embedding'}, True),
        ('pooled_dense', 'encoder_bert_mean',
         {'reads': 'embedding', 'dense': 'tanh'}, False),
        ('first_alone', 'encoder_bert_classify', {'reads': 'first_token'},
         False),
        ('pooled_words', 'encoder_bert_mean',
         {'reads': 'embedding', 'words': 256}, False),
        ('distil_words', 'encoder_distilbert_embed',
         {'reads': 'first_token', 'dense': 'relu', 'words': 64}, True),
        ('distil_pooled', 'encoder_distilbert_embed',
         {'reads': 'embedding', 'dense': 'gelu'}, False),
    ]
    for name, source, head, multi_label in heads:
        target = os.path.join(work, 'source_' + name)
        make_own_head(os.path.join(FIXTURES, source), target, head, LABELS,
                      multi_label)
        sources.append((name, target))
    return sources + [('insitu-mini-en', SHIPPED)]


# --- programs and answers ----------------------------------------------------

def run(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError('%s: %s' % (' '.join(command),
                                       done.stdout.decode()))


def make_pack(source, target, weights):
    run('build/make_pack', source, target, json.dumps({'weights': weights}))


def read(path):
    with open(path, 'rb') as file:
        return file.read()


class Answers:
    """What SQLite says of every text."""

    def __init__(self, database, name, pack):
        database.execute('SELECT model_register(?, ?)', (name, read(pack)))
        self.database, self.name = database, name
        self.info = json.loads(self.one('SELECT model_info(?1)'))
        self.labels = json.loads(json.dumps(self.info.get('labels', [])))
        self.ids = [json.loads(self.one('SELECT token_ids(?2, ?1)', text))
                    for text in TEXTS]
        tasks = str(self.info['tasks'])
        self.scores = [self.score(text) for text in TEXTS] \
            if 'classify' in tasks else None
        self.embeddings = [self.embed(text) for text in TEXTS] \
            if 'embed' in tasks else None

    def one(self, statement, *values):
        return self.database.execute(
            statement, (self.name,) + values).fetchone()[0]

    def score(self, text):
        return dict(self.database.execute(
            'SELECT label, score FROM classify_scores(?2, ?1)',
            (self.name, text)).fetchall())

    def embed(self, text):
        value = self.one('SELECT embed(?2, ?1)', text)
        return struct.unpack('<%df' % (len(value) // 4), value)

    def numbers(self):
        """All scores by label, then all embeddings."""
        numbers = []
        for scores in self.scores or []:
            numbers += [scores[label] for label in sorted(scores)]
        for embedding in self.embeddings or []:
            numbers += embedding
        return numbers


def difference(left, right):
    if len(left) != len(right) or not left:
        raise RuntimeError('%d and %d numbers' % (len(left), len(right)))
    return max(abs(a - b) for a, b in zip(left, right))


def torch_numbers(directory, answers):
    """The same numbers, computed from the directory."""
    model = Model(directory)
    names = model.config.get('id2label')
    numbers = []
    for ids in answers.ids if answers.scores else []:
        scores = model.scores(ids).tolist()
        numbers += [scores[int(i)] for i in
                    sorted(names, key=names.get)]
    for ids in answers.ids if answers.embeddings else []:
        numbers += model.embedding(ids).tolist()
    return numbers


# --- the tests ----------------------------------------------------------------

class Report:
    def __init__(self):
        self.number = self.failed = 0

    def test(self, title, check, *arguments):
        self.number += 1
        try:
            found = check(*arguments)
            failed = False
        except (RuntimeError, OSError, KeyError, ValueError,
                sqlite3.Error) as error:
            found, failed = '%s: %s' % (type(error).__name__, error), True
        self.failed += failed
        print('%s %d - %s%s' % ('not ok' if failed else 'ok', self.number,
                                title, found or ''), flush=True)


def check_close(left, right, limit):
    largest = difference(left, right)
    if not largest <= limit:
        raise RuntimeError('numbers differ by %g' % largest)
    return ' (largest difference %.1e)' % largest


class Case:
    """One model and its exports."""

    def __init__(self, work, database, name, source):
        self.work, self.database = work, database
        self.name, self.source = name, source
        self.first = None

    def path(self, kind):
        return os.path.join(self.work, '%s.%s' % (self.name, kind))

    def answers(self, kind):
        return Answers(self.database, (self.name + '-' + kind).lower().replace(
            '_', '-'), self.path(kind))

    def same_pack(self):
        make_pack(self.source, self.path('f32'), 'f32')
        run('build/export_model', self.path('f32'), self.path('directory'))
        make_pack(self.path('directory'), self.path('again'), 'f32')
        if read(self.path('f32')) != read(self.path('again')):
            raise RuntimeError('the packs differ')

    def same_answers(self, weights, number):
        """From a pack of weights, exported as floats of a type."""
        one, two = weights, weights + '-' + number
        make_pack(self.source, self.path(one + '-in'), weights)
        run('build/export_model', self.path(one + '-in'),
            self.path(two + '.d'), number)
        make_pack(self.path(two + '.d'), self.path(two), weights)
        left = self.answers(one + '-in')
        right = self.answers(two)
        if left.ids != right.ids:
            raise RuntimeError('the token ids differ')
        if left.info.get('labels') != right.info.get('labels'):
            raise RuntimeError('the labels differ')
        return check_close(left.numbers(), right.numbers(), LIMITS[number])

    def same_in_torch(self):
        answers = self.answers('f32')
        return check_close(answers.numbers(),
                           torch_numbers(self.path('directory'), answers),
                           TORCH)

    def run(self, report):
        report.test(self.name + ': the same f32 pack again', self.same_pack)
        report.test(self.name + ': the answers of int8',
                    self.same_answers, 'int8', 'f32')
        report.test(self.name + ': the answers of f16',
                    self.same_answers, 'f32', 'f16')
        title = self.name + ': torch computes the same'
        if Model is None:
            report.number += 1
            print('ok %d - %s # SKIP no python3-torch' % (report.number,
                                                          title))
        else:
            report.test(title, self.same_in_torch)


def check_head_adapter(work, name, base):
    adapter = os.path.join(work, 'adapter')
    make_head_adapter(os.path.join(FIXTURES, base),
                      os.path.join(work, 'source_' + name), adapter)
    make_pack(adapter, adapter + '.f32', 'f32')
    if read(adapter + '.f32') != read(os.path.join(work, name + '.f32')):
        raise RuntimeError('the packs differ')


def check_refused(words, *command):
    try:
        run(*command)
    except RuntimeError as error:
        if words not in str(error):
            raise
        return
    raise RuntimeError('it was not refused')


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        # What SQLite keeps for other processes must not stay.
        os.environ['XDG_CACHE_HOME'] = os.path.join(work, 'cache')
        database = sqlite3.connect(':memory:')
        database.enable_load_extension(True)
        database.load_extension(os.path.join(ROOT, 'sqlite_ext', 'insitu'))
        for name, source in list_sources(work):
            Case(work, database, name, source).run(report)
        report.test('a head that reads words, as an adapter',
                    check_head_adapter, work, 'pooled_words',
                    'encoder_bert_mean')
        # A directory that is there is not written over.
        first = os.path.join(work, 'encoder_bert_mean')
        report.test('a second export is refused', check_refused, 'exists',
                    'build/export_model', first + '.f32',
                    first + '.directory')
        report.test('what is no pack is refused', check_refused, 'pack',
                    'build/export_model', os.path.join(HERE, 'run_export.py'),
                    os.path.join(work, 'nothing'))
    print('1..%d' % report.number)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
