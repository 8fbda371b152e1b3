import { test } from 'vitest';
import { comeAndGo } from '../fixtures/churn.ts';

test('containers that came and went leave nothing behind', () => comeAndGo(40));
