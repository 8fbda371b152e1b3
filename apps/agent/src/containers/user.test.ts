import { expect, test } from 'vitest';
import { UnknownUser, userOf } from './user.ts';

const accounts = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n# no entry\nbad\n',
  group: 'root:x:0:\nweb:x:1001:\nwheel:x:10:root,web\nlogs:x:20:web\n',
};

test('a user comes with group, further groups and home of the image', () => {
  expect(userOf('web', accounts)).toEqual({
    ...{ uid: 1000, gid: 1001, additionalGids: [10, 20], home: '/home/web' },
  });
  expect(userOf('1000', accounts)).toEqual(userOf('web', accounts));
  expect(userOf('', accounts)).toMatchObject({ uid: 0, gid: 0, additionalGids: [10] });
});

test('a group that is named takes the place of the user’s own', () => {
  expect(userOf('web:wheel', accounts)).toMatchObject({ uid: 1000, gid: 10, additionalGids: [] });
  expect(userOf('7:8', accounts)).toEqual({ uid: 7, gid: 8, additionalGids: [], home: null });
});

test('a number needs no entry, a name does', () => {
  expect(userOf('4321', { passwd: '', group: '' })).toMatchObject({ uid: 4321, gid: 0 });
  expect(() => userOf('bob', accounts)).toThrow(UnknownUser);
  expect(() => userOf('web:bobs', accounts)).toThrow('no group "bobs"');
  expect(() => userOf('99999999999', accounts)).toThrow(UnknownUser);
  expect(() => userOf('-1', accounts)).toThrow(UnknownUser);
  expect(() => userOf('1:2:3', accounts)).toThrow(UnknownUser);
});
