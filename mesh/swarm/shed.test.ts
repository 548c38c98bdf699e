import { expect, test } from 'vitest';
import { chooseToShed, type Holder } from './shed.ts';

const holder = (connection: number, standing: Holder['standing'], bytesHeld: number, score = 0): Holder => ({ connection, standing, bytesHeld, score });

test('what is held too much is given back by strangers first, then by the lobby, then by the least trusted members', () => {
  const holders = [
    holder(1, 'member', 100, 9_000),
    holder(2, 'member', 100, 10),
    holder(3, 'lobby', 100),
    holder(4, 'stranger', 50),
    holder(5, 'stranger', 80),
  ];
  expect(chooseToShed(holders, 1)).toEqual([5]);
  expect(chooseToShed(holders, 130)).toEqual([5, 4]);
  expect(chooseToShed(holders, 300)).toEqual([5, 4, 3, 2]);
  expect(chooseToShed(holders, 10_000)).toEqual([5, 4, 3, 2, 1]);
});

test('who holds nothing stays', () => {
  expect(chooseToShed([holder(1, 'stranger', 0), holder(2, 'member', 5, 10_000)], 5)).toEqual([2]);
});
