// STATUS succeeds exactly when an ADD could be served.
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach } from '../helpers/attach.ts';
import { type Answer, invoke, toolDirectory } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import {
	type Configuration,
	everyFamily,
	type Family,
	networkConfiguration,
	roomForOne,
} from '../helpers/network-configuration.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';

function statusOf(host: Host, keys: Configuration = {}, family: Family = 'IPv4'): Answer {
	const configuration = networkConfiguration(host, keys, family);
	return invoke(host, { command: 'STATUS', path: toolDirectory, configuration });
}

for (const family of everyFamily) {
	testOn(needsOf(family), `ready before and after the first container, and changes nothing: ${family}`, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		silent(t, statusOf(host, {}, family));
		t.deepEqual(host.snapshot(), before);
		attach(t, host, {}, { family });
		silent(t, statusOf(host, {}, family));
	});
}

test('ready without addresses', (t) => {
	silent(t, statusOf(createHost(t), { ipam: null }));
});

test('a full half', (t) => {
	const host = createHost(t);
	const { del } = attach(t, host, { ipam: roomForOne });
	refused(t, statusOf(host, { ipam: roomForOne }), 50, '9.0.1.0/30');
	del();
	silent(t, statusOf(host, { ipam: roomForOne }));
});

test('a bridge name that another device has', (t) => {
	const host = createHost(t);
	host.must(['ip', 'link', 'add', host.bridge, 'type', 'ifb']);
	refused(t, statusOf(host), 50, `"${host.bridge}"`, 'ifb');
});

test('a delegate that is missing', (t) => {
	refused(t, statusOf(createHost(t), { ipam: { type: 'no-such-plugin' } }), 50, '"no-such-plugin"');
});

test('an agent file that is missing', (t) => {
	const agentFile = '/nowhere/agent.json';
	refused(t, statusOf(createHost(t), { ipam: { agentSubnet: undefined, agentFile } }), 50, agentFile);
});

for (const cniVersion of ['0.1.0', '0.4.0', '1.0.0']) {
	test(`at ${cniVersion} there is no STATUS`, (t) => {
		refused(t, statusOf(createHost(t), { cniVersion }), 1, 'STATUS', cniVersion);
	});
}
