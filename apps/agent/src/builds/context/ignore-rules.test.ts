import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { IgnoreRules } from './ignore-rules.ts';

const rules = (...lines: string[]): IgnoreRules =>
  new IgnoreRules(lines.join('\n'), '.dockerignore');

/** Lines, what they ignore, and what they leave. */
type Case = [lines: string[], ignored: string[], kept: string[]];

function check(cases: readonly Case[]): void {
  for (const [lines, ignored, kept] of cases) {
    const found = rules(...lines);
    for (const path of ignored)
      expect([lines, path, found.isIgnored(path)]).toEqual([lines, path, true]);
    for (const path of kept)
      expect([lines, path, found.isIgnored(path)]).toEqual([lines, path, false]);
  }
}

test('the examples of Docker’s documentation mean what it says', () => {
  check([
    [
      ['# comment', '*/temp*'],
      ['some/temporary.txt', 'some/temp', 'some/temp/file'],
      ['temp', 'a/b/temp'],
    ],
    [['*/*/temp*'], ['some/sub/temporary.txt'], ['some/temporary.txt']],
    [['temp?'], ['tempa', 'tempb', 'tempa/file'], ['temp', 'tempab', 'some/tempa']],
    [['**/*.go'], ['main.go', 'a/b/main.go'], ['main.got', 'a/go']],
    [['/foo/bar'], ['foo/bar', 'foo/bar/baz'], ['foo', 'a/foo/bar', 'foo/barn']],
    [['*.md', '!README.md'], ['a.md'], ['README.md', 'a/a.md']],
    [['*.md', '!README*.md', 'README-secret.md'], ['README-secret.md', 'a.md'], ['README.md']],
    [['*.md', 'README-secret.md', '!README*.md'], ['a.md'], ['README-secret.md', 'README.md']],
    [
      ['*', '!src', '!package.json'],
      ['a', 'a/src', 'srcs'],
      ['src', 'src/a/b', 'package.json'],
    ],
    [['.'], [], ['a', 'a/b', '.a']],
  ]);
});

test('a line is trimmed, cleaned and taken from the context’s root, be it an exception or not', () => {
  check([
    [['\ufeff# a', '#b', ' #c'], ['#c'], ['a', '# a', '#b', ' #c']],
    [['\ufeffa'], ['a'], []],
    [
      ['', '   ', '\t\r', 'a\r', '\u00a0b\u0085', '\ufeffc'],
      ['a', 'b', '\ufeffc'],
      ['c', 'a\r'],
    ],
    [
      ['a/', './b//c/.', 'x/../d', '/e/', '//f'],
      ['a', 'b/c', 'd', 'e', 'f'],
      ['b', 'x', 'c'],
    ],
    [['../a', '/../b', '..', '/'], ['b'], ['a', 'c']],
    [['*', '!  /a/ ', '! ./b'], ['c'], ['a', 'b']],
    [['*', '/!a', './!b'], ['c'], ['a', 'b']],
    [
      ['!!a', '\\!b', '/ c'],
      ['!b', 'c'],
      ['b', '!a'],
    ],
    [['*', '!!a'], ['a'], ['!a']],
    [['a b'], ['a b'], ['a', 'b']],
  ]);
});

test('wildcards take what Go’s do', () => {
  check([
    [['*'], ['a', '.a', 'a/b', 'é', 'a\nb'], []],
    [
      ['a*b', 'x*'],
      ['ab', 'a.b', 'a\nb', 'x', 'xy/z'],
      ['a/b', 'abc', 'ax'],
    ],
    [['a?b'], ['axb', 'aéb', 'a😀b', 'a\nb'], ['ab', 'a/b', 'aé́b']],
    [
      ['[a-c]', 'x[^a-c]'],
      ['a', 'b', 'c', 'xd', 'x😀', 'x^'],
      ['d', 'ab', 'xa', 'x', '^'],
    ],
    [
      ['[é-ü]', '[😀-😂]x'],
      ['é', 'ö', '😁x'],
      ['e', '😃x', 'é́'],
    ],
    [
      ['[a\\-z]', '[\\]x]', '[!b]', '[a^]1'],
      ['a', '-', 'z', ']', 'x', '!', 'b', '^1'],
      ['c', '\\', 'b1'],
    ],
    [['x[^a]y'], ['x/y', 'xby'], ['xay']],
    [
      ['\\*', '\\?a', '\\[b]', 'c\\\\', '\\d'],
      ['*', '?a', '[b]', 'c\\', 'd'],
      ['a', 'aa', 'b', '1'],
    ],
    [
      ['a]', '*]'],
      ['a]', 'b]'],
      ['a', 'b'],
    ],
    [
      ['a.b', 'c+', '(d)*', '*{e,f}', 'g|h*', 'i^$*'],
      ['a.b', 'c+', '(d)x', 'x{e,f}', 'g|hx', 'i^$x'],
      ['aXb', 'cc', 'd', 'xe', 'g', 'gx', 'h', 'i'],
    ],
    [['*.{js,ts}'], [], ['a.js']],
    [['A'], ['A'], ['a']],
  ]);
});

test('two stars take any number of folders, in every position', () => {
  check([
    [['**'], ['a', 'a/b', 'a\nb/c'], []],
    [['**/'], ['a', 'a/b'], []],
    [['**/a'], ['a', 'b/a', 'b/c/a', 'a/b', 'x\ny/a'], ['ba', 'b/ca', 'b/ab']],
    [['a/**'], ['a/b', 'a/b/c'], ['a', 'ab', 'b/a/c']],
    [['a/**/b'], ['a/b', 'a/x/b', 'a/x/y/b', 'a/b/c'], ['a', 'ab', 'a/xb', 'x/a/b']],
    [['**/a/**'], ['a/b', 'x/a/b'], ['a', 'x/a', 'xa/b']],
    [
      ['**/*.a', '**/**/b'],
      ['.a', 'x/y.a', 'b', 'x/b'],
      ['xa', 'xb'],
    ],
    [['**/x*'], ['x', 'a/xy'], ['ax', 'a\nb/x']],
    [
      ['a**', '**b'],
      ['a', 'ax', 'a/x', 'ax/y', 'b', 'xb', 'x/yb'],
      ['xa', 'bx'],
    ],
    [['**b*'], ['b', 'bx', 'x/bx'], ['xb']],
    [['a**b'], ['ab', 'a/b', 'ax/b', 'ax/y/b'], ['axb', 'a']],
    [
      ['a***b', 'x****'],
      ['ab', 'axb', 'a/xb', 'ac/d/xb', 'x', 'xy/z'],
      ['a', 'bx'],
    ],
  ]);
});

test('the last rule that matches decides; a folder’s decision is that of what is in it, until a later rule matches there', () => {
  check([
    [
      ['a', '!a/b'],
      ['a', 'a/c', 'a/bc'],
      ['a/b', 'a/b/c'],
    ],
    [['!a/b', 'a'], ['a', 'a/b'], []],
    [
      ['a', '!a/b', 'a/b/c'],
      ['a/b/c', 'a/x'],
      ['a/b', 'a/b/d'],
    ],
    [
      ['a', '!**/b'],
      ['a/x', 'a/x/y'],
      ['a/b', 'a/x/b', 'a/x/b/z'],
    ],
    [
      ['**', '!a/b/c'],
      ['a', 'a/b', 'a/b/d'],
      ['a/b/c', 'a/b/c/d'],
    ],
    [
      ['a/**', '!a/b'],
      ['a/x', 'a/x/y'],
      ['a', 'a/b', 'a/b/c'],
    ],
    [['!a'], [], ['a', 'b']],
    // so does BuildKit, since the exception said nothing new of the folder
    [['**/*.log', '!logs'], ['logs/x.log'], ['logs', 'logs/x']],
    [['a', '!a/b', 'a'], ['a', 'a/x'], ['a/b']],
  ]);
});

test('whether something below a folder may be decided otherwise is known, and no more folders than need be are', () => {
  const cases: [lines: string[], folder: string[], mayDiffer: boolean][] = [
    [['a'], ['a'], false],
    [['a', '!a/b/c'], ['a'], true],
    [['a', '!a/b/c'], ['a', 'b'], true],
    [['a', '!a/b/c'], ['a', 'b', 'c'], false],
    [['a', '!a/b/c'], ['a', 'x'], false],
    [['!a/b', 'a'], ['a'], false],
    [['a', '!b/c'], ['a'], false],
    [['a', '!**/c'], ['a', 'x', 'y'], true],
    [['a', '!*/c'], ['a'], true],
    [['a', '!*/c'], ['a', 'x'], false],
    [['a/b'], ['a'], true],
    [['a/b'], ['x'], false],
    [['*.o'], ['x'], false],
    [['**/*.o'], ['x'], true],
    [['*', '!a'], ['a'], false],
    [['*', '!a', '**/b'], ['a'], true],
    [['*', '!a', '**/b'], ['x'], false],
  ];
  for (const [lines, folder, mayDiffer] of cases) {
    const found = rules(...lines);
    const place = folder.reduce((above, name) => found.below(above, name), found.root);
    expect([lines, folder, found.mayDiffer(place)]).toEqual([lines, folder, mayDiffer]);
  }
});

test('what is no pattern is named, with its line', () => {
  const cases: [line: string, why: RegExp][] = [
    ['[a', /^x, line 3: "\[a" is no pattern: its "\[" is not closed\.$/],
    ['a[', /not closed/],
    ['[a\\', /not closed/],
    ['[a-', /not closed/],
    ['[]', /in its "\[…\]" a "\]" stands where a character has to/],
    ['[^]a', /a "\]" stands/],
    ['[-a]', /a "-" stands/],
    ['[a-]', /a "\]" stands/],
    [
      '![z-a]',
      /^x, line 3: "!\[z-a\]" is no pattern: a range in its "\[…\]" ends before it begins\.$/,
    ],
    ['a\\', /nothing follows its last "\\"/],
    ['!', /^x, line 3: a pattern has to follow the "!"\.$/],
    ['! ', /has to follow/],
    ['!/', /has to follow/],
    ['/!', /has to follow/],
  ];
  for (const [line, message] of cases) {
    expect(() => new IgnoreRules(`# comment\n\n${line}\nb`, 'x'), line).toThrow(
      expect.objectContaining({
        reason: 'context-unusable',
        message: expect.stringMatching(message),
      }),
    );
  }
  expect(() => rules('#[a', '#!', '\\[a', 'a]')).not.toThrow();
  expect(() => rules(...Array(1001).fill('a'))).toThrow(/line 1001: more than 1000 patterns/);
  expect(rules(...Array(1000).fill('a')).isIgnored('a')).toBe(true);
});

test('patterns that a matcher which tries all ways would not get through are matched', () => {
  const long = 'a'.repeat(250);
  const deep = Array(500).fill('a').join('/');
  for (const star of ['*', '**', '**/', '*?', '[a-b]*', '?**']) {
    for (const end of ['b', '*b', '**/b']) {
      const found = rules(star.concat('a').repeat(12) + end);
      for (const path of [long, deep, `${long}/${long}`]) expect(found.isIgnored(path)).toBe(false);
    }
  }
  check([
    [[`${'**/*a'.repeat(30)}b`], [`x/${long}b`], [long]],
    [['*a'.repeat(200)], [long], ['a'.repeat(199)]],
    [['*'.repeat(60_000)], [long, deep], []],
    [[`a${' '.repeat(60_000)}b`, `/x${'/..'.repeat(20_000)}/y`], ['y'], [long]],
  ]);
});

test('patterns that need too much work are refused, rather than worked on', () => {
  const refused = expect.objectContaining({
    reason: 'context-unusable',
    message: expect.stringMatching(/^x: to match its patterns takes too much work/),
  });
  const found = new IgnoreRules(`*a${'?'.repeat(200)}`, 'x', 100_000);
  const name = (length: number): string =>
    randomBytes(length).toString('hex').replace(/[0-7]/g, 'a');
  expect(found.isIgnored(name(5))).toBe(false);
  const readMany = () => {
    for (let count = 0; count < 100; count++) found.isIgnored(name(120));
  };
  expect(readMany).toThrow(refused);
  const wide = new IgnoreRules(`*${'a'.repeat(60)}\n`.repeat(900), 'x');
  expect(wide.isIgnored('a'.repeat(5))).toBe(false);
  expect(() => wide.isIgnored('a'.repeat(50))).toThrow(refused);
});
