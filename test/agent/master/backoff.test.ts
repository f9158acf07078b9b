// How long an agent waits before it asks the master again.
import test from 'ava';
import fc from 'fast-check';
import { waitAfter } from '../../../src/agent/master/backoff.ts';
import { MasterError } from '../../../src/agent/master/master-client.ts';

const away = new MasterError('connecting', { code: 'ECONNREFUSED' });
const refused = new MasterError('registering', { code: 'internal', status: 500 });

test('a master that is away is asked within a second, one that refuses less and less often', (t) => {
	fc.assert(
		fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (nth, random) => {
			t.true(waitAfter(away, nth, random) <= 1000);
			t.true(waitAfter(refused, nth, random) <= 30_000);
			t.true(waitAfter(refused, nth, random) >= 125);
		}),
	);
	t.true(waitAfter(refused, 20, 0) >= 15_000);
	t.not(waitAfter(away, 3, 0), waitAfter(away, 3, 1), 'not all agents at once');
});

test('a master that names a time gets it', (t) => {
	const busy = new MasterError('registering', { code: 'addressInUse', status: 409, retryAfter: 10_000 });
	t.is(waitAfter(busy, 0, 0), 10_000);
	t.is(waitAfter(busy, 50, 1), 11_000);
});
