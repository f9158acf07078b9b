import test from 'ava';
import { documentAgent, documentNetwork } from '../../src/overlay/document-state.ts';
import type { NetworkReport } from '../../src/overlay/registration-wire.ts';
import { registerOne, stateOf } from './states.ts';

const ok: NetworkReport = { status: 'STATUS_OK' };

test('the state of the documentation, byte for byte, besides the Mesos bridge that it leaves out', (t) => {
	const state = stateOf({
		vtep_subnet: '198.15.0.0/20',
		vtep_mac_oui: '70:B3:D5:00:00:00',
		overlays: [{ name: 'dcos', subnet: '44.128.0.0/16', prefix: 24 }],
	});
	const networks = [...state.networks.values()];
	const { agent } = registerOne(state, '10.10.0.120');
	const { ip, overlays } = documentAgent(agent!, state.vtep!, networks, new Map([['dcos', ok]]));
	const { mesos_bridge, ...overlay } = overlays[0]!;
	t.deepEqual(mesos_bridge, { ip: '44.128.0.0/25', name: 'm-dcos' });
	t.is(
		JSON.stringify({ ip, overlays: [overlay] }, undefined, 4),
		`{
    "ip": "10.10.0.120",
    "overlays": [
        {
            "backend": {
                "vxlan": {
                    "vni": 1024,
                    "vtep_ip": "198.15.0.1/20",
                    "vtep_mac": "70:b3:d5:0f:00:01",
                    "vtep_name": "vtep1024"
                }
            },
            "docker_bridge": {
                "ip": "44.128.0.128/25",
                "name": "d-dcos"
            },
            "info": {
                "name": "dcos",
                "prefix": 24,
                "subnet": "44.128.0.0/16"
            },
            "state": {
                "status": "STATUS_OK"
            },
            "subnet": "44.128.0.0/24"
        }
    ]
}`,
	);
	t.is(
		JSON.stringify(documentNetwork(state.vtep!, networks), undefined, 4),
		`{
    "overlays": [
        {
            "name": "dcos",
            "prefix": 24,
            "subnet": "44.128.0.0/16"
        }
    ],
    "vtep_mac_oui": "70:B3:D5:00:00:00",
    "vtep_subnet": "198.15.0.0/20"
}`,
	);
});

test('what an agent has reported, what it has not yet, and what it could not be given', (t) => {
	const state = stateOf({
		vtep_subnet: '44.128.0.0/20',
		vtep_mac_oui: '70:B3:D5:00:00:00',
		vtep_mtu: 9000,
		overlays: [
			{ name: 'broken', subnet: '9.0.0.0/8', prefix: 24 },
			{ name: 'full', subnet: '10.0.0.0/24', prefix: 24 },
			{ name: 'off', subnet: '11.0.0.0/8', prefix: 24, enabled: false },
		],
	});
	registerOne(state, '10.0.0.1');
	const { agent } = registerOne(state, '10.0.0.2');
	const failed: NetworkReport = { status: 'STATUS_FAILED', error: 'no such device' };
	const networks = [...state.networks.values()];
	const show = (reports: ReadonlyMap<string, NetworkReport>) =>
		documentAgent(agent!, state.vtep!, networks, reports).overlays;
	t.deepEqual(
		show(new Map([['broken', failed]])).map(({ info, subnet, state: { status, error } }) => [
			info.name,
			subnet,
			status,
			error,
		]),
		[
			['broken', '9.0.1.0/24', 'STATUS_FAILED', 'no such device'],
			['full', undefined, 'STATUS_FAILED', 'no subnet of it is free'],
		],
	);
	t.deepEqual(show(new Map())[0]?.state, { status: 'STATUS_CONFIGURING' });
	t.is(show(new Map())[0]?.backend.vxlan.vtep_mtu, 9000);
	t.is(documentNetwork(state.vtep!, networks).overlays[2]?.enabled, false);
});
