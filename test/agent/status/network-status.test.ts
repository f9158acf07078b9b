// How a host fares with its networks.
import test from 'ava';
import { joinTroubles, statusOfNetworks, troubleOfFailures } from '../../../src/agent/status/network-status.ts';

const bridgeFails = { action: { do: 'removeBridge', name: 'm-dcos' }, error: new Error('busy') } as const;
const routeFails = { action: { do: 'setRoute', dst: '9.0.0.0/24', gw: '44.128.0.1' }, error: new Error('no') } as const;

test("a bridge is a matter of its network, all else is everybody's", (t) => {
	const trouble = joinTroubles([troubleOfFailures([bridgeFails]), troubleOfFailures([routeFails])]);
	t.deepEqual(
		[...statusOfNetworks(['dcos', 'other'], trouble, () => true)],
		[
			['dcos', { status: 'STATUS_FAILED', error: 'no; busy' }],
			['other', { status: 'STATUS_FAILED', error: 'no' }],
		],
	);
});

test('without trouble, a network is well when everything was tried', (t) => {
	const statuses = statusOfNetworks(['dcos', 'new'], joinTroubles([]), (name) => name === 'dcos');
	t.deepEqual([...statuses.values()], [{ status: 'STATUS_OK' }, { status: 'STATUS_CONFIGURING' }]);
});

test('of thousands of failures a few are told, and no text is longer than the master takes', (t) => {
	const { general } = troubleOfFailures(Array.from({ length: 5000 }, () => routeFails));
	t.deepEqual(general, ['no', 'no', 'no', 'and 4997 more']);
	const long = { general: ['x'.repeat(5000)], ofNetworks: new Map() };
	t.is(statusOfNetworks(['dcos'], long, () => true).get('dcos')?.error?.length, 1000);
});
