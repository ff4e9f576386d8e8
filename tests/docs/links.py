#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""links.py ROOT: what the documents point to is there.

In every Markdown file of the repository: relative links and their #headings, paths of ours in
`backquotes`, and names of tests (`test_…`), which must occur somewhere below tests/.
"""
import pathlib
import re
import sys

LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
CODE = re.compile(r'`([^`\n]+)`')
FENCE = re.compile(r'^(```|~~~).*?^\1', re.M | re.S)
OURS = ('audio base bench cli cmake conf daemon docs scheduler synth systemd tests tools tts '
        '.ci').split()
PATH = re.compile(r'^(?:%s)/[\w./-]*$' % '|'.join(re.escape(folder) for folder in OURS))
TEST = re.compile(r'^test_\w+$')
ELSEWHERE = re.compile(r'^[a-z][a-z0-9+.-]*:')
NOT_OURS = {'build', '.git', 'quickstart-out'}


def documents(root):
    for path in sorted(root.rglob('*.md')):
        if not NOT_OURS & set(path.relative_to(root).parts):
            yield path


def headings(text):
    """The anchors that web views of Markdown give to headings."""
    for line in FENCE.sub('', text).splitlines():
        if line.startswith('#'):
            title = re.sub(r'[^\w\- ]', '', line.lstrip('#').strip().lower())
            yield title.replace(' ', '-')


def tests_source(root):
    """All that defines tests, as one text."""
    return '\n'.join(path.read_text(encoding='utf-8', errors='replace')
                     for path in (root / 'tests').rglob('*')
                     if path.suffix in {'.c', '.py', '.sh', '.txt', '.cmake'})


def broken_link(document, target):
    path, _, anchor = target.partition('#')
    file = document.parent / path if path else document
    if not file.exists():
        return 'no such file'
    if anchor and anchor not in set(headings(file.read_text(encoding='utf-8'))):
        return 'no such heading'
    return None


def exists(root, path):
    """A path, or one without its ending, as prose names a pair of files."""
    return (root / path).exists() or (
        '.' not in path.rsplit('/', 1)[-1] and any((root / path).parent.glob(
            path.rsplit('/', 1)[-1] + '.*')))


def check(root, document, tests):
    text = document.read_text(encoding='utf-8')
    for target in LINK.findall(FENCE.sub('', text)):
        why = None if ELSEWHERE.match(target) else broken_link(document, target)
        if why:
            yield f'link {target}: {why}'
    for code in CODE.findall(FENCE.sub('', text)):
        if PATH.match(code) and not exists(root, code):
            yield f'`{code}` is not there'
        if TEST.match(code) and not re.search(rf'\b{code}\b', tests) and not (
                root / 'tests' / 'unit' / f'{code}.c').exists():
            yield f'`{code}` is no test'


def main():
    root = pathlib.Path(sys.argv[1])
    tests = tests_source(root)
    found, count = 0, 0
    for document in documents(root):
        count += 1
        for problem in check(root, document, tests):
            found += 1
            print(f'{document.relative_to(root)}: {problem}')
    print(f'{count} documents, {found} broken references')
    return 1 if found or not count else 0


if __name__ == '__main__':
    sys.exit(main())
