// The files that Mesos and the plugin read.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
	agentNetworks,
	confText,
	keepAgentFile,
	keepConfFiles,
	openNetworks,
	removeConfFiles,
} from '../../../src/agent/plugin/cni-conf-file.ts';
import { readAgentFile } from '../../../src/ipam/agent-file.ts';
import { agent, cluster, dcos } from '../../helpers/cluster-state.ts';

const plain = { addressing: 'bridged', backend: 'auto' } as const;
const run = '/run/mesos-overlay';

test('a configuration says what differs from what the plugin does by itself', (t) => {
	t.deepEqual(JSON.parse(confText('dcos', 1450, plain, { run })), {
		name: 'dcos',
		managedBy: 'mesos-overlay agent',
		type: 'mesos-overlay',
		ipMasq: true,
		mtu: 1450,
		ipam: { type: 'mesos-overlay-ipam' },
	});
	const other = confText('dcos', 1450, { addressing: 'routed', backend: 'iptables' }, { run: '/srv' });
	t.like(JSON.parse(other), {
		natBackend: 'iptables',
		natDir: '/srv/nat',
		ipam: { addressing: 'routed', agentFile: '/srv/agent.json', dataDir: '/srv/leases' },
	});
});

test('agent.json has the networks of which the host has a part; on one that drains, nobody is launched', (t) => {
	const state = cluster([agent(1)], [dcos, { ...dcos, name: 'other' }]);
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-conf-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const networks = agentNetworks(state, '10.64.0.1', 1450);
	t.deepEqual([...networks.keys()], ['dcos']);
	keepAgentFile(`${directory}/agent.json`, networks);
	t.deepEqual(readAgentFile(`${directory}/agent.json`), networks);
	t.deepEqual(agentNetworks(state, '10.64.0.9', 1450), new Map());
	t.deepEqual(openNetworks(state, '10.64.0.1'), ['dcos']);
	t.deepEqual(openNetworks(cluster([agent(1)], [{ ...dcos, state: 'draining' }]), '10.64.0.1'), []);
});

test('files of others stay as they are', (t) => {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-conf-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const text = (name: string) => confText(name, 1450, plain, { run });
	writeFileSync(`${directory}/theirs.conf`, '{');
	writeFileSync(`${directory}/gone.conf`, text('gone'));
	writeFileSync(`${directory}/note.txt`, text('note'));
	writeFileSync(`${directory}/dcos.conf.mesos-overlay-unfinished`, '{');
	const problems = keepConfFiles(directory, new Map(['dcos', 'theirs'].map((name) => [name, text(name)])));
	t.deepEqual([...problems.keys()], ['theirs']);
	t.deepEqual(readdirSync(directory).toSorted(), ['dcos.conf', 'note.txt', 'theirs.conf']);
	t.is(readFileSync(`${directory}/theirs.conf`, 'utf8'), '{');
	t.is(readFileSync(`${directory}/dcos.conf`, 'utf8'), text('dcos'));
	removeConfFiles(directory);
	t.deepEqual(readdirSync(directory).toSorted(), ['note.txt', 'theirs.conf']);
});
