/** Who a program runs as. */
export interface ProcessUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  /** its home folder, when /etc/passwd has one */
  home: string | null;
}

/** There is no such user or group in the image. The message is for its owner. */
export class UnknownUser extends Error {
  override name = 'UnknownUser';
}

/** What an image has of /etc/passwd and /etc/group; '' when it has none. */
export interface Accounts {
  passwd: string;
  group: string;
}

const MAX_ID = 2 ** 31 - 1;

/**
 * @param text `name`, `uid`, `name:group`, `uid:gid` in any mixture; '' is root
 * @throws UnknownUser for a name that is in none of the files; a number needs no entry
 * @see Docker, Dockerfile reference, "USER"
 */
export function userOf(text: string, { passwd, group }: Accounts): ProcessUser {
  const [wantedUser = '', wantedGroup = '', ...more] = text.split(':');
  if (more.length > 0) throw new UnknownUser(`"${text}" is no user, or user:group.`);
  const users = entriesOf(passwd);
  const groups = entriesOf(group);
  const name = wantedUser === '' ? '0' : wantedUser;
  const user = users.find(([known, , uid]) => known === name || uid === name);
  const uid = numberOf(user?.[2] ?? name);
  if (uid === null) throw new UnknownUser(`The image has no user "${name}" in /etc/passwd.`);
  const own = numberOf(user?.[3] ?? '0') ?? 0;
  if (wantedGroup !== '') {
    const found = groups.find(([known, , gid]) => known === wantedGroup || gid === wantedGroup);
    const gid = numberOf(found?.[2] ?? wantedGroup);
    if (gid === null)
      throw new UnknownUser(`The image has no group "${wantedGroup}" in /etc/group.`);
    return { uid, gid, additionalGids: [], home: user?.[5] || null };
  }
  const additionalGids = groups
    .filter(([, , , members]) => user !== undefined && members?.split(',').includes(user[0] ?? ''))
    .flatMap(([, , gid]) => numberOf(gid ?? '') ?? []);
  return { uid, gid: own, additionalGids: [...new Set(additionalGids)], home: user?.[5] || null };
}

function entriesOf(file: string): string[][] {
  return file
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function numberOf(text: string): number | null {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : null;
}
