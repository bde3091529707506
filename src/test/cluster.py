"""cluster.py - a temporary PostgreSQL cluster with a staged installation.

    with Cluster() as cluster:
        print(cluster.psql('SELECT 1'))

Nothing is written outside a temporary directory: the extension is installed
with DESTDIR, and staged_settings.sh makes the server look there.  When root
runs this, the server runs as an unprivileged user, who need not be able to
read the checkout.

SPDX-License-Identifier: PostgreSQL
"""
import os
import pwd
import shutil
import subprocess
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
PG_CONFIG = os.environ.get('PG_CONFIG', 'pg_config')


def clean_environment():
    """No server's address and no outer make's flags reach what we start."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith('PG')
            and name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}


class Cluster:
    def __init__(self, settings=()):
        self.settings = list(settings)
        self.directory = None
        self.running = False

    # --- life -----------------------------------------------------------

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix='insitu-')
        os.chmod(self.directory, 0o755)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.running:
            self.run([self.program('pg_ctl'), '-D', self.data, '-m',
                      'immediate', '-w', 'stop'], check=False)
            self.running = False
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        stage = os.path.join(self.directory, 'stage')
        subprocess.run(['make', '-s', 'install', 'DESTDIR=' + stage,
                        'PG_CONFIG=' + PG_CONFIG], cwd=ROOT, check=True,
                       env=clean_environment(), stdout=subprocess.DEVNULL)
        subprocess.run(['chmod', '-R', 'a+rX', stage], check=True)
        self.owner = self.choose_owner()
        self.bin = self.ask_config('--bindir')
        self.work = os.path.join(self.directory, 'work')
        self.data = os.path.join(self.work, 'data')
        os.mkdir(self.work, 0o700)
        if self.owner:
            os.chown(self.work, self.owner.pw_uid, self.owner.pw_gid)
        self.run([self.program('initdb'), '-D', self.data, '-U', 'postgres',
                  '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'])
        staged = subprocess.run(
            [os.path.join(ROOT, 'src', 'test', 'staged_settings.sh'), stage],
            check=True, env=dict(os.environ, PG_CONFIG=PG_CONFIG),
            stdout=subprocess.PIPE).stdout.decode().splitlines()
        self.write_settings([
            "listen_addresses = ''",
            "unix_socket_directories = '%s'" % self.work,
            'fsync = off',
        ] + staged + self.settings)
        self.run([self.program('pg_ctl'), '-D', self.data, '-l',
                  os.path.join(self.work, 'log'), '-w', 'start'])
        self.running = True

    @staticmethod
    def choose_owner():
        """The server refuses to run as root."""
        if os.geteuid() != 0:
            return None
        for name in ('postgres', 'nobody'):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise RuntimeError('root needs a user postgres or nobody')

    def write_settings(self, lines):
        text = '\n'.join(lines) + '\n'
        self.run(['sh', '-c', 'cat >> "$1"', 'sh',
                  os.path.join(self.data, 'postgresql.conf')], text=text)

    # --- commands -------------------------------------------------------

    @staticmethod
    def ask_config(option):
        return subprocess.run([PG_CONFIG, option], check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()

    def program(self, name):
        return os.path.join(self.bin, name)

    def run(self, command, text='', check=True):
        """Runs a command as the cluster's owner, returns its output."""
        identity = {}
        if self.owner:
            identity = {'user': self.owner.pw_uid,
                        'group': self.owner.pw_gid, 'extra_groups': []}
        done = subprocess.run(
            command, cwd=self.work, env=clean_environment(),
            input=text.encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, **identity)
        output = done.stdout.decode('utf-8', 'replace')
        if check and done.returncode:
            raise RuntimeError('%s: %s' % (' '.join(command), output))
        return output

    def psql(self, text, database='postgres', options=(), check=True):
        """Runs SQL from standard input, returns psql's output."""
        return self.run(
            [self.program('psql'), '-X', '-q', '-h', self.work, '-U',
             'postgres', '-d', database, '-v', 'ON_ERROR_STOP=1'] +
            list(options), text=text, check=check)
