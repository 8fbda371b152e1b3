import { expect } from 'vitest';
import type { Answer, TestApi } from './api.fixture.ts';

/** Somebody who is signed in, with the organization `<name>`; their address is `<name>@example.test`. */
export interface Person {
  readonly name: string;
  readonly token: null;
  readonly headers: { cookie: string };
  call(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** Who calls: with a key, or signed in. */
export type Credential = { token: string } | Person;

export async function addPerson(api: TestApi, name: string): Promise<Person> {
  const credential = { token: null, headers: await api.addPerson(name) };
  const call = (method: string, path: string, body?: unknown) =>
    api.call(method, path, { ...credential, ...(body === undefined ? {} : { body }) });
  return { name, ...credential, call };
}

export interface TestKey {
  id: string;
  token: string;
}

/** An API key of their organization. @param wish its role or scopes, and what else it may have */
export async function keyOf(by: Person, wish: object): Promise<TestKey> {
  const body = { name: 'a key', ...wish };
  const made = await by.call('POST', `/v1/organizations/${by.name}/api-keys`, body);
  expect([made.status, made.body]).toEqual([201, made.body]);
  return made.body;
}

/** @returns the invitation's token */
export async function invite(
  by: Person,
  to: string,
  role: string,
  organization = by.name,
): Promise<string> {
  const at = `/v1/organizations/${organization}/invitations`;
  const { status, body } = await by.call('POST', at, { email: `${to}@example.test`, role });
  expect(status).toBe(201);
  return body.token;
}

export async function join(them: Person, token: string): Promise<void> {
  const { status } = await them.call('POST', '/v1/invitations/accept', { token });
  expect(status).toBe(200);
}

/** A new person of the owner's organization. */
export async function addMember(
  api: TestApi,
  owner: Person,
  { name, role }: { name: string; role: string },
): Promise<Person> {
  const token = await invite(owner, name, role);
  const them = await addPerson(api, name);
  await join(them, token);
  return them;
}
