import test from 'ava';
import { refuseUnfinished } from '../../src/bridge/unfinished.ts';
import { configurationOf, minimal } from '../cni/requests.ts';
import { refuses } from '../cni/assertions.ts';

const refuseKeys = (keys: Record<string, unknown>) => refuseUnfinished(configurationOf({ ...minimal, ...keys }));
const mesos = (network_info: unknown) => ({ args: { 'org.apache.mesos': { network_info } } });
const mapping = { hostPort: 8080, containerPort: 80 };

const refused: readonly [Record<string, unknown>, string][] = [
	[{ ipMasq: true }, 'reading ipMasq: true: masquerading is not supported yet; leave the key out'],
	[
		{ runtimeConfig: { portMappings: [mapping] } },
		'reading runtimeConfig.portMappings: [{"hostPort":8080,"containerPort":80}]: host ports are not supported yet',
	],
	[
		mesos({ port_mappings: [{ host_port: 8080 }] }),
		'reading args.org.apache.mesos.network_info.port_mappings: [{"host_port":8080}]: host ports are not supported yet',
	],
	[{ bandwidth: { ingressRate: 1 } }, 'reading bandwidth: {"ingressRate":1}: bandwidth limits are not supported yet'],
	[
		{ runtimeConfig: { bandwidth: { egressRate: 1000 } } },
		'reading runtimeConfig.bandwidth: {"egressRate":1000}: bandwidth limits are not supported yet',
	],
];
for (const [keys, message] of refused) {
	test(`${JSON.stringify(keys)} is refused rather than ignored`, (t) =>
		refuses(t, () => refuseKeys(keys), 2, message));
}

for (const keys of [
	{},
	{ ipMasq: false },
	{ ipMasq: null },
	{ runtimeConfig: { portMappings: [] } },
	{ runtimeConfig: { portMappings: null, bandwidth: {} } },
	{ bandwidth: {} },
	mesos({}),
	mesos({ port_mappings: [], ip_addresses: [{ protocol: 'IPv4' }] }),
]) {
	test(`${JSON.stringify(keys)} asks for nothing`, (t) => t.notThrows(() => refuseKeys(keys)));
}

test('a wrong type is said to be one', (t) => {
	refuses(
		t,
		() => refuseKeys({ runtimeConfig: { portMappings: 'all' } }),
		7,
		'reading runtimeConfig.portMappings: expected a list, got "all"',
	);
	refuses(t, () => refuseKeys({ bandwidth: 5 }), 7, 'reading bandwidth: expected an object, got 5');
});
