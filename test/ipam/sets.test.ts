import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { asksAgent } from '../../src/ipam/sets.ts';
import { formatSet } from '../../src/ipam/range-set.ts';
import { readIpamConfiguration } from '../../src/ipam/configuration.ts';
import { fieldsOf } from '../../src/cni/fields.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

const network = (ipam: Record<string, unknown>, keys: Record<string, unknown> = {}) =>
	configurationOf({ ...minimal, ipam, ...keys });
const read = (...from: Parameters<typeof network>) => readIpamConfiguration(network(...from)).sets;

const runtimeConfig = { ipRanges: [[{ subnet: '10.1.2.0/24' }]] };

for (const [ipam, keys, message] of [
	[
		{ agentSubnet: '9.0.1.0/26', subnet: '10.1.2.0/24' },
		{},
		'ipam.agentSubnet: "9.0.1.0/26" excludes ipam.subnet, since both say where addresses come from; leave one out',
	],
	[
		{ agentSubnet6: 'fd00::/64', ranges: [[{ subnet: '10.1.2.0/24' }]] },
		{},
		'ipam.agentSubnet6: "fd00::/64" excludes ipam.ranges[0], since both say where addresses come from; leave one out',
	],
	[
		{ agentSubnet: '9.0.1.0/26' },
		{ runtimeConfig },
		'ipam.agentSubnet: "9.0.1.0/26" excludes runtimeConfig.ipRanges[0], since both say where addresses come from; leave one out',
	],
	[
		{ agentSubnet: '9.0.1.0/26', ranges: [] },
		{},
		'ipam.agentSubnet: "9.0.1.0/26" excludes ipam.ranges, since both say where addresses come from; leave one out',
	],
	[
		{ ranges: [[{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.1', rangeEnd: '10.1.2.1' }]] },
		{},
		'ipam.ranges[0]: "10.1.2.1-10.1.2.1" has no address for a container, each is a gateway or in ipam.reserved',
	],
	[
		{ subnet: '10.1.2.0/24', reserved: ['10.0.0.0/8'] },
		{},
		'ipam.subnet: "10.1.2.0/24" has no address for a container, each is a gateway or in ipam.reserved',
	],
	[
		{ agentSubnet: '9.0.1.0/26', reserved: ['9.0.1.0/27'] },
		{},
		'ipam.reserved: "9.0.1.0/27" has no address for a container, each is a gateway or in ipam.reserved',
	],
] as const) {
	test(`refused: ${message}`, (t) => {
		const error = t.throws(() => read(ipam, keys), { instanceOf: CniError });
		t.is(error?.message, `reading ${message}`);
		t.is(error?.code, 7);
	});
}

const two = { ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: '10.1.3.0/24' }]] };
const both = { ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00::/64' }]] };

test('two sets of one family need a version that carries their addresses', (t) => {
	const error = t.throws(() => read(two, { cniVersion: '0.2.0' }), { instanceOf: CniError });
	t.is(error?.message, 'cannot convert: CNI version 0.2.0 does not support more than 1 address per family');
	t.is(error?.code, 7);
	t.is(read(two, { cniVersion: '0.3.0' }).length, 2);
	t.is(read(both, { cniVersion: '0.2.0' }).length, 2);
});

test('the sets of the runtime are in front of the others', (t) => {
	const sets = read({ subnet: '10.1.3.0/24', ranges: [[{ subnet: 'fd00::/64' }]] }, { runtimeConfig });
	t.deepEqual(sets.map(formatSet), ['10.1.2.0/24', '10.1.3.0/24', 'fd00::/64']);
});

test('the agent daemon is asked for subnets that neither the configuration nor the runtime says', (t) => {
	const asks = (...from: Parameters<typeof network>): boolean => {
		const configuration = network(...from);
		return asksAgent(configuration, configuration.ipam ?? fieldsOf({}, ''));
	};
	t.true(asks({}));
	t.true(asks({ agentSubnet: '', ranges: null }, { runtimeConfig: { ipRanges: [] } }));
	t.false(asks({ agentSubnet6: 'fd00::/64' }));
	t.false(asks({ ranges: [] }));
	t.false(asks({}, { runtimeConfig }));
});
