import test from 'ava';
import { requestedAddresses } from '../../src/cni/requested-addresses.ts';
import { refuses } from './assertions.ts';
import { requestOf } from './requests.ts';

const ofArgs = { cni: { ips: ['9.0.1.2'] } };
const ofMesos = { 'org.apache.mesos': { network_info: { ip_addresses: [{ ip_address: '9.0.1.4' }] } } };
const ofRuntime = { ips: ['9.0.1.3/26', 'fd00::3/64'] };
const cniArguments = new Map([['IP', '9.0.1.5/26,fd00::5']]);

for (const [title, keys, addresses, source] of [
	['args.cni before all', { args: { ...ofArgs, ...ofMesos }, runtimeConfig: ofRuntime }, ['9.0.1.2'], 'args.cni.ips'],
	['then runtimeConfig', { args: ofMesos, runtimeConfig: ofRuntime }, ['9.0.1.3', 'fd00::3'], 'runtimeConfig.ips'],
	[
		'then Mesos',
		{ args: ofMesos, runtimeConfig: {} },
		['9.0.1.4'],
		'args.org.apache.mesos.network_info.ip_addresses',
	],
	['then CNI_ARGS', { args: { cni: { ips: [] } } }, ['9.0.1.5', 'fd00::5'], 'IP in CNI_ARGS'],
] as const) {
	test(`who is heard: ${title}`, (t) => {
		const requested = requestedAddresses(requestOf(keys, { cniArguments }));
		t.deepEqual(
			requested.map(({ address }) => address),
			[...addresses],
		);
		t.deepEqual(
			requested.map(({ family }) => family),
			addresses.map((address) => (address.includes(':') ? 6 : 4)),
		);
		t.true(requested.every((each) => each.source === source));
	});
}

test('a mapped address is the IPv4 address', (t) => {
	const request = requestOf({ runtimeConfig: { ips: ['::ffff:9.0.1.2'] } });
	t.deepEqual(requestedAddresses(request), [{ address: '9.0.1.2', family: 4, source: 'runtimeConfig.ips' }]);
});

test('nobody asks', (t) => {
	t.deepEqual(requestedAddresses(requestOf({})), []);
	t.deepEqual(requestedAddresses(requestOf({}, { cniArguments: new Map([['IP', '']]) })), []);
});

for (const [keys, code, fragment] of [
	[
		{ args: { cni: { ips: ['9.0.1'] } } },
		7,
		'reading args.cni.ips: expected an address such as 9.0.1.2 or 9.0.1.2/26, got "9.0.1"',
	],
	[{ args: { cni: { ips: '9.0.1.2' } } }, 7, 'reading args.cni.ips: expected a list, got "9.0.1.2"'],
	[{ runtimeConfig: { ips: ['9.0.1.2/33'] } }, 7, 'reading runtimeConfig.ips: '],
	[{ args: { 'org.apache.mesos': { network_info: { ip_addresses: [{ ip_address: 'x' }] } } } }, 7, 'got "x"'],
] as const) {
	test(`refused: ${JSON.stringify(keys)}`, (t) => {
		refuses(t, () => requestedAddresses(requestOf(keys)), code, fragment);
	});
}

test('a bad address in CNI_ARGS is an error of the environment', (t) => {
	const request = requestOf({}, { cniArguments: new Map([['IP', '9.0.1.02']]) });
	refuses(t, () => requestedAddresses(request), 4, 'reading IP in CNI_ARGS', '"9.0.1.02"');
});
