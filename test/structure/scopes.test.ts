import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/* No query leaves out its tenant: the database is for stores, and what they do is done in a scope. */

const SRC = join(import.meta.dirname, '../../apps/api/src');
const DATABASES = ['Database', 'Prisma.TransactionClient'];
const SCOPES = ['Caller', 'OrganizationScope', 'ProjectScope', 'Repository'];

const files = globSync('**/*.ts', { cwd: SRC }).filter(
  (file) => !/\.(test|fixture)\.ts$/.test(file),
);
const textOf = (file: string): string => readFileSync(join(SRC, file), 'utf8');

test('only stores get the database, and the health check, which asks it nothing', () => {
  const others = files.filter(
    (file) => !file.endsWith('.store.ts') && /^ *@Inject\(DATABASE\)/m.test(textOf(file)),
  );
  expect(others).toEqual(['health/health.controller.ts']);
});

describe('what a store does takes a scope, or its comment says why it has none: @unscoped', () => {
  test.each(files.filter((file) => file.endsWith('.store.ts')))('%s', (file) => {
    const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
    expect(source.statements.flatMap(unscopedIn)).toEqual([]);
  });
});

/** Methods of exported classes, and exported functions that ask the database: what others call. */
function unscopedIn(statement: ts.Statement): string[] {
  if (!isExported(statement) || saysWhy(statement)) return [];
  if (ts.isFunctionDeclaration(statement)) {
    return typesOf(statement).some((type) => DATABASES.includes(type)) ? unscoped(statement) : [];
  }
  if (!ts.isClassDeclaration(statement)) return [];
  return statement.members.filter(ts.isMethodDeclaration).flatMap(unscoped);
}

function unscoped(callable: ts.FunctionDeclaration | ts.MethodDeclaration): string[] {
  const { name } = callable;
  if (name === undefined || ts.isPrivateIdentifier(name) || saysWhy(callable)) return [];
  const isScope = (type: string) => type.split(' | ').every((one) => SCOPES.includes(one));
  return typesOf(callable).some(isScope) ? [] : [name.getText()];
}

function typesOf({ parameters }: ts.SignatureDeclaration): string[] {
  return parameters.map(({ type }) => type?.getText() ?? '');
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function saysWhy(node: ts.Node): boolean {
  const tags = ts.getJSDocTags(node);
  return tags.some(({ tagName, comment }) => tagName.text === 'unscoped' && Boolean(comment));
}
