"""browser.py - a page in headless Chromium: its tree, its console, its picture.

SPDX-License-Identifier: PostgreSQL
"""
import html.parser
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

PROGRAM = shutil.which('chromium')
CONSOLE = re.compile(r'CONSOLE[:(]')
VOID = {'meta', 'br', 'img', 'link', 'hr', 'input', 'col', 'base', 'wbr'}


class Element:
    def __init__(self, tag, attributes, parent=None):
        self.tag, self.attributes = tag, dict(attributes)
        self.parent, self.children = parent, []

    def walk(self):
        """All elements below, in the order of the document."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def find(self, tag=None, name=None):
        """Elements below by tag and class."""
        return [element for element in self.walk()
                if tag in (None, element.tag) and
                (name is None or name in element.classes())]

    def classes(self):
        return (self.attributes.get('class') or '').split()

    def text(self):
        return ''.join(child.text() if isinstance(child, Element) else child
                       for child in self.children)


class TreeBuilder(html.parser.HTMLParser):
    """For what a browser writes: every element is closed."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element('', {})
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert tag == self.at.tag, '</%s> in <%s>' % (tag, self.at.tag)
            self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)


class Page:
    """What Chromium makes of a page."""

    def __init__(self, source, size=(1200, 1600), dark=False):
        self.folder = tempfile.mkdtemp(prefix='insitu-html-')
        try:
            self.path = os.path.join(self.folder, 'page.html')
            with open(self.path, 'w', encoding='utf-8') as file:
                file.write(source)
            picture = os.path.join(self.folder, 'page.png')
            options = ['--window-size=%d,%d' % size]
            if dark:
                options.append('--blink-settings=preferredColorScheme=0')
            written, tree = self.run(options + ['--dump-dom'])
            self.tree = TreeBuilder(tree).root
            self.console = [line for line in written.splitlines()
                            if CONSOLE.search(line)]
            self.run(options + ['--screenshot=' + picture])
            with open(picture, 'rb') as file:
                self.picture = file.read()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, options):
        """Returns what it wrote to standard error and to standard output."""
        command = [PROGRAM, '--headless', '--disable-gpu', '--hide-scrollbars',
                   '--enable-logging=stderr', '--disable-dev-shm-usage',
                   '--user-data-dir=' + os.path.join(self.folder, 'profile')]
        # Root has no sandbox; the page is our own.
        if os.geteuid() == 0:
            command.append('--no-sandbox')
        done = subprocess.run(command + options + ['file://' + self.path],
                              stdin=subprocess.DEVNULL, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120)
        return (done.stderr.decode('utf-8', 'replace'),
                done.stdout.decode('utf-8', 'replace'))

    def colours(self):
        """How many pixels of the picture have which colour."""
        counts = {}
        for pixel in read_png(self.picture):
            counts[pixel] = counts.get(pixel, 0) + 1
        return counts


def undo_filter(kind, line, above, step):
    """A line of a PNG picture (its specification, section 9)."""
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[i]
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            guess = min((left, above[i], corner), key=lambda known: abs(
                left + above[i] - corner - known))
        line[i] = (value + guess) & 255


def read_png(data):
    """The pixels of every fourth line of an 8-bit picture."""
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    at, packed = 8, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b'IHDR':
            width, height, depth, colour = struct.unpack('>IIBB', body[:10])
            assert depth == 8 and colour in (2, 6)
            step = 3 if colour == 2 else 4
        elif kind == b'IDAT':
            packed += body
        at += size + 12
    lines = zlib.decompress(packed)
    above = bytearray(width * step)
    for number in range(height):
        start = number * (width * step + 1)
        line = bytearray(lines[start + 1:start + 1 + width * step])
        if lines[start]:
            undo_filter(lines[start], line, above, step)
        above = line
        if number % 4 == 0:
            for i in range(0, len(line), step):
                yield bytes(line[i:i + 3])
