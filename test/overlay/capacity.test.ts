import test from 'ava';
import { capacitiesOf, vtepCapacity } from '../../src/overlay/capacity.ts';
import { configurationOf, documentExample } from './states.ts';

test('the room of each family of each network', (t) => {
	const { networks } = configurationOf({
		...documentExample,
		vtep_subnet6: 'fd01:a::/64',
		overlays: [
			{ name: 'both', subnet: '9.0.0.0/8', prefix: 24, subnet6: 'fd01:b::/64', prefix6: 80 },
			{ name: 'least', subnet: '10.0.0.0/29', prefix: 29 },
			{ name: 'most', subnet6: 'fc00::/8', prefix6: 125, enabled: false },
		],
	});
	t.deepEqual(
		capacitiesOf(networks).map(({ network, subnet, agents, containers }) => [network, subnet, agents, containers]),
		[
			['both', '9.0.0.0/8', 65_536n, 125n],
			['both', 'fd01:b::/64', 65_536n, 2n ** 47n - 2n],
			['least', '10.0.0.0/29', 1n, 1n],
			['most', 'fc00::/8', 2n ** 117n, 2n],
		],
	);
});

test('VTEP addresses are as many as the family has that has fewer', (t) => {
	const capacity = (members: object) => vtepCapacity(configurationOf({ ...documentExample, ...members }).vtep);
	t.is(capacity({}), 4094n);
	t.is(capacity({ vtep_subnet6: 'fd01:a::/64' }), 4094n);
	t.is(capacity({ vtep_subnet6: 'fd01:a::/126' }), 2n);
	t.is(capacity({ vtep_subnet: '44.128.0.0/30' }), 2n);
});
