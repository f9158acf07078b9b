// What an operator adds to the network configurations.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OptionError } from '../../../src/agent/agent-options.ts';
import { confText } from '../../../src/agent/plugin/cni-conf-file.ts';
import { readFurtherKeys } from '../../../src/agent/plugin/further-keys.ts';

function read(t: ExecutionContext, text: string, addressing: 'bridged' | 'routed' = 'bridged') {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-further-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const path = `${directory}/options.json`;
	writeFileSync(path, text);
	return readFurtherKeys(path, { addressing });
}

test("a network's own keys come before those of all, and after what the agent says", (t) => {
	const all = { isolation: 'network', ipMasq: false, ipam: { quarantine: 30, routes: [] } };
	const further = read(t, JSON.stringify({ '*': all, dcos: { isolation: 'none', ipam: { quarantine: 60 } } }));
	const conf = (name: string): unknown =>
		JSON.parse(
			confText(name, 1450, { addressing: 'routed', backend: 'auto', further }, { run: '/run/mesos-overlay' }),
		);
	t.like(conf('dcos'), { name: 'dcos', mtu: 1450, isolation: 'none', ipMasq: false });
	t.like(conf('dcos'), { ipam: { type: 'mesos-overlay-ipam', addressing: 'routed', quarantine: 60, routes: [] } });
	t.like(conf('other'), { isolation: 'network', ipam: { quarantine: 30 } });
});

const wrong: Record<string, RegExp> = {
	'{': /options\.json": .*JSON/,
	'[]': /options\.json": expected an object, got a list/,
	'{"dcos": 7}': /options\.json" of network "dcos": expected an object, got 7/,
	'{"dcos": {"isolaton": "network"}}': /of network "dcos": "isolaton" is none of bandwidth, /,
	'{"dcos": {"mtu": 1400}}': /"mtu" is none of /,
	'{"dcos": {"ipam": {"dataDir": "/srv"}}}': /"dataDir" is none of quarantine, reserved, /,
	'{"dcos": {"isolation": "host"}}': /reading isolation: expected one of "none", "network", "container", got "host"/,
	'{"*": {"policy": 1}}': /of network "\*": reading policy: /,
	'{"*": {"ipMasq": true}, "dcos": {"ipam": {"quarantine": -1}}}': /of network "dcos": reading ipam\.quarantine: /,
};
for (const [text, message] of Object.entries(wrong)) {
	test(`refused: ${text}`, (t) => {
		t.throws(() => read(t, text), { instanceOf: OptionError, message });
	});
}

test('what excludes the addressing of the agent is refused', (t) => {
	const text = '{"dcos": {"portIsolation": true}}';
	t.deepEqual(read(t, text), { dcos: { portIsolation: true } });
	t.throws(() => read(t, text, 'routed'), { message: /portIsolation: true excludes ipam\.addressing "routed"/ });
});

test('a file that is not there', (t) => {
	t.throws(() => readFurtherKeys('/nowhere/options.json', { addressing: 'bridged' }), { message: /ENOENT/ });
});
