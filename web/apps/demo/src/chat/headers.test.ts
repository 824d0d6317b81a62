import { describe, expect, test } from 'vitest';
import { parseAnswerHead, parseParameterList } from './headers';

const head = (headers: Record<string, string>) => parseAnswerHead(new Headers(headers));

describe('parseAnswerHead', () => {
  test.each([
    ['conciergus; hit; ttl=312', 'hit'],
    ['conciergus; fwd=miss; stored', 'miss'],
    ['conciergus; fwd=miss; collapsed', 'collapsed'],
    ['conciergus; hit; ttl=-20; detail=stale-if-error', 'stale'],
    ['conciergus; fwd=bypass; detail=temperature', 'bypass'],
    ['conciergus;fwd=request;detail="no-cache"', 'miss'],
    ['OtherCache; hit, conciergus; fwd=miss', 'miss'],
    ['OtherCache; hit', 'unknown'],
    ['', 'unknown'],
  ])('reads %s as %s', (cacheStatus, outcome) => {
    expect(head({ 'cache-status': cacheStatus }).cache).toBe(outcome);
  });

  test('gives the reason, age, provider, model and request id', () => {
    expect(
      head({
        'cache-status': 'conciergus; fwd=bypass; detail="tools; not cached"',
        age: '12',
        'x-conciergus-provider': 'simulated',
        'x-conciergus-model': 'sim-1',
        'x-request-id': 'r1',
      }),
    ).toEqual({
      cache: 'bypass',
      cacheDetail: 'tools; not cached',
      ageSeconds: 12,
      provider: 'simulated',
      model: 'sim-1',
      requestId: 'r1',
    });
  });

  test('reads the money saved', () => {
    expect(head({ 'x-conciergus-saved': '0.0031' }).savedDollars).toBe(0.0031);
    expect(head({ 'x-conciergus-saved': 'much' }).savedDollars).toBeUndefined();
  });

  test('ignores an age that is none', () => {
    expect(head({ age: '-3' }).ageSeconds).toBeUndefined();
    expect(head({ age: 'old' }).ageSeconds).toBeUndefined();
  });
});

test('a parameter list keeps separators inside quotes', () => {
  const [first, second] = parseParameterList('a; x="1, 2; \\"3\\""; y, b');
  expect(first?.parameters.get('x')).toBe('1, 2; "3"');
  expect(first?.parameters.has('y')).toBe(true);
  expect(second?.name).toBe('b');
});
