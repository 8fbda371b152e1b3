import { ulid } from 'ulid';

/** What an identifier begins with; no name of a thing may begin like one. */
export type IdPrefix =
  | 'org'
  | 'prj'
  | 'key'
  | 'usr'
  | 'ses'
  | 'inv'
  | 'rep'
  | 'upl'
  | 'nod'
  | 'sub'
  | 'ctr'
  | 'ctx'
  | 'bld'
  | 'svc'
  | 'rev'
  | 'dep'
  | 'aud';

/** A new row's identifier, e.g. `prj_01jdx…`: later ones sort behind earlier ones. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${ulid().toLowerCase()}`;
}
