import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import { expect, test } from 'vitest';
import { expandHome, resolvePath } from '../src/index.ts';

test.each([
  { path: '~/a/b', home: '/home/ada', expected: '/home/ada/a/b' },
  { path: '~/a', home: '/home/ada/', expected: '/home/ada/a' },
  { path: '~/', home: '/home/ada', expected: '/home/ada/' },
  { path: '~', home: '/home/ada', expected: '~' },
  { path: '~bob/a', home: '/home/ada', expected: '~bob/a' },
  { path: '/a/~/b', home: '/home/ada', expected: '/a/~/b' },
  { path: 'a', home: '/home/ada', expected: 'a' },
  { path: '', home: '/home/ada', expected: '' },
  { path: '~/a', home: '', expected: 'a' },
  { path: '~//etc/passwd', home: '/home/ada', expected: '/home/ada//etc/passwd' },
])('expandHome($path) with home $home is $expected', ({ path, home, expected }) => {
  expect(expandHome(path, { home, path: posix })).toBe(expected);
});

test('the home of the running user is the default', () => {
  expect(expandHome('~/a', { path: posix })).toBe(`${homedir()}/a`);
});

test.each([
  { flavour: posix, base: '/site', path: 'a', expected: '/site/a' },
  { flavour: posix, base: '/site/', path: 'a', expected: '/site/a' },
  { flavour: posix, base: '/site', path: './a', expected: '/site/./a' },
  { flavour: posix, base: '/site', path: '../a', expected: '/site/../a' },
  { flavour: posix, base: '/site', path: '/a/../b', expected: '/a/../b' },
  { flavour: posix, base: '/site', path: '~/a', expected: '/home/ada/a' },
  { flavour: posix, base: '/site', path: '~', expected: '/site/~' },
  { flavour: posix, base: '', path: 'a', expected: 'a' },
  { flavour: posix, base: '/', path: 'a', expected: '/a' },
  { flavour: win32, base: 'C:\\site', path: 'a', expected: 'C:\\site\\a' },
  { flavour: win32, base: 'C:\\', path: 'a', expected: 'C:\\a' },
  { flavour: win32, base: 'C:/site/', path: 'a', expected: 'C:/site/a' },
  { flavour: win32, base: 'C:\\site', path: 'D:\\a', expected: 'D:\\a' },
  { flavour: win32, base: 'C:\\site', path: '\\\\server\\share\\a', expected: '\\\\server\\share\\a' },
  { flavour: posix, base: '/site', path: 'D:\\a', expected: '/site/D:\\a' },
])('resolvePath($base, $path) is $expected', ({ flavour, base, path, expected }) => {
  expect(resolvePath(base, path, { home: '/home/ada', path: flavour })).toBe(expected);
});

test('a Windows home', () => {
  const options = { home: 'C:\\Users\\Ada', path: win32 };
  expect(expandHome('~/a/b', options)).toBe('C:\\Users\\Ada\\a/b');
  expect(resolvePath('D:\\site', '~/a', options)).toBe('C:\\Users\\Ada\\a');
});
