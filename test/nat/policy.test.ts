import test from 'ava';
import { readPolicy } from '../../src/nat/policy.ts';
import { refuses } from '../cni/assertions.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

const configure = (keys: Record<string, unknown>) => configurationOf({ ...minimal, ...keys });
const [from, to] = [{ label: 'app=web' }, { label: 'app=db' }];
const readRule = (rule: unknown) => readPolicy(configure({ policy: [rule] }));

test('a network without a policy has none, and one with an empty policy has an empty one', (t) => {
	t.is(readPolicy(configure({})), undefined);
	t.deepEqual(readPolicy(configure({ policy: [] })), []);
});

test('a rule names two labels, and ports', (t) => {
	t.deepEqual(readRule({ from, to, ports: ['5432/tcp', '8000-8010/UDP'] }), [
		{
			from: 'app=web',
			to: 'app=db',
			ports: [
				{ protocol: 'tcp', first: 5432, last: 5432 },
				{ protocol: 'udp', first: 8000, last: 8010 },
			],
		},
	]);
});

test('a rule without ports is about all of them', (t) => {
	t.deepEqual(readRule({ from, to }), [{ from: 'app=web', to: 'app=db' }]);
});

for (const [rule, ...fragments] of [
	[{ from, to: {} }, 'reading policy[0].to.label: expected a label such as "app=web", got nothing'],
	[{ from: { label: 'web' }, to }, 'reading policy[0].from.label: expected a label such as "app=web", got "web"'],
	[{ from: 'web', to }, 'reading policy[0].from: expected an object, got "web"'],
	[{ from, to, ports: ['5432'] }, 'reading policy[0].ports: expected ports such as "5432/tcp"', 'got "5432"'],
	[{ from, to, ports: ['0/tcp'] }, 'got "0/tcp"'],
	[{ from, to, ports: ['70000/tcp'] }, 'got "70000/tcp"'],
	[{ from, to, ports: ['20-10/tcp'] }, 'got "20-10/tcp"'],
	[{ from, to, ports: ['53/icmp'] }, 'got "53/icmp"'],
	[{ from, to, ports: ['1-1000/tcp'] }, '1000 ports are named, a rule can have 256'],
] as const) {
	test(`refused: ${JSON.stringify(rule)}`, (t) => refuses(t, () => readRule(rule), 7, ...fragments));
}
