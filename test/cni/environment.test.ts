import test from 'ava';
import fc from 'fast-check';
import { parseCommand, parseEnvironment } from '../../src/cni/environment.ts';
import { refuses } from './assertions.ts';

const complete = {
	CNI_CONTAINERID: 'parent.child-1_a',
	CNI_NETNS: '/run/netns/a',
	CNI_IFNAME: 'eth0',
	CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
	CNI_ARGS: 'IP=9.0.1.2',
};

test('every parameter of an ADD', (t) => {
	t.deepEqual(parseEnvironment('ADD', complete), {
		command: 'ADD',
		containerId: 'parent.child-1_a',
		ifname: 'eth0',
		netns: '/run/netns/a',
		path: ['/opt/cni/bin', '/usr/lib/cni'],
		cniArguments: new Map([['IP', '9.0.1.2']]),
		environment: complete,
	});
});

for (const command of ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'] as const) {
	test(`a command: ${command}`, (t) => {
		t.is(parseCommand({ CNI_COMMAND: command }), command);
	});
}

for (const command of ['add', 'ADD ', 'UPDATE', 'toString', '__proto__', 'x'.repeat(1000)]) {
	test(`no command: ${command.slice(0, 20)}`, (t) => {
		refuses(t, () => parseCommand({ CNI_COMMAND: command }), 4, `unknown CNI_COMMAND: ${command.slice(0, 80)}`);
	});
}

test('no command at all', (t) => {
	for (const environment of [{}, { CNI_COMMAND: '' }, { CNI_COMMAND: undefined }]) {
		refuses(t, () => parseCommand(environment), 4, 'required env variables [CNI_COMMAND] missing');
	}
});

for (const [command, variables] of [
	['ADD', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME'],
	['CHECK', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME'],
	['DEL', 'CNI_CONTAINERID,CNI_IFNAME'],
] as const) {
	test(`${command}: all missing variables are named together`, (t) => {
		refuses(t, () => parseEnvironment(command, {}), 4, `required env variables [${variables}] missing`);
		const empty = Object.fromEntries(variables.split(',').map((name) => [name, '']));
		refuses(t, () => parseEnvironment(command, empty), 4, `required env variables [${variables}] missing`);
		for (const name of variables.split(',')) {
			const environment = { ...complete, [name]: undefined };
			refuses(t, () => parseEnvironment(command, environment), 4, `required env variables [${name}] missing`);
		}
	});
}

for (const command of ['GC', 'STATUS'] as const) {
	test(`${command} needs no variable, and has no attachment`, (t) => {
		t.deepEqual(parseEnvironment(command, {}).path, []);
		const { containerId, ifname, netns, cniArguments } = parseEnvironment(command, { ...complete, CNI_ARGS: 'x' });
		t.deepEqual(
			{ containerId, ifname, netns, size: cniArguments.size },
			{ containerId: '', ifname: '', netns: '', size: 0 },
		);
	});
}

test('CNI_PATH and CNI_ARGS are optional, empty directories are none', (t) => {
	const { path, cniArguments } = parseEnvironment('ADD', { ...complete, CNI_PATH: undefined, CNI_ARGS: undefined });
	t.deepEqual(path, []);
	t.is(cniArguments.size, 0);
	t.deepEqual(parseEnvironment('ADD', { ...complete, CNI_PATH: ':/a::/b:' }).path, ['/a', '/b']);
});

test('a DEL needs no namespace, and does not read CNI_ARGS', (t) => {
	for (const netns of [undefined, '']) {
		const { netns: read, cniArguments } = parseEnvironment('DEL', {
			...complete,
			CNI_NETNS: netns,
			CNI_ARGS: ';;',
		});
		t.is(read, '');
		t.is(cniArguments.size, 0);
	}
	refuses(t, () => parseEnvironment('ADD', { ...complete, CNI_ARGS: ';;' }), 4, 'CNI_ARGS');
});

for (const containerId of ['-a', '.a', '_a', 'a b', 'a/b', '../a', 'ä', 'a\n', '*']) {
	test(`a container id with a bad character: ${JSON.stringify(containerId)}`, (t) => {
		const environment = { ...complete, CNI_CONTAINERID: containerId };
		refuses(
			t,
			() => parseEnvironment('DEL', environment),
			4,
			'reading CNI_CONTAINERID: invalid characters in containerID',
			containerId,
		);
	});
}

test('a container id of any length', (t) => {
	const containerId = 'a'.repeat(5000);
	t.is(parseEnvironment('ADD', { ...complete, CNI_CONTAINERID: containerId }).containerId, containerId);
});

for (const [ifname, fragment] of [
	['a123456789012345', 'is longer than 15 bytes'],
	['éééééééé', 'is longer than 15 bytes'],
	['.', 'is . or ..'],
	['..', 'is . or ..'],
	['a/b', 'contains / or : or whitespace'],
	['eth0:1', 'contains / or : or whitespace'],
	['a b', 'contains / or : or whitespace'],
	['a\tb', 'contains / or : or whitespace'],
	['a\u0085', 'contains / or : or whitespace'],
	['a\u00a0', 'contains / or : or whitespace'],
	['a\u2003', 'contains / or : or whitespace'],
] as const) {
	test(`an interface name is refused: ${encodeURIComponent(ifname)}`, (t) => {
		const environment = { ...complete, CNI_IFNAME: ifname };
		refuses(t, () => parseEnvironment('ADD', environment), 4, 'CNI_IFNAME', JSON.stringify(ifname), fragment);
	});
}

test('other interface names pass', (t) => {
	const name = fc
		.string({ unit: fc.constantFrom(...'aZ09._-@é'), minLength: 3, maxLength: 7 })
		.filter((text) => text !== '...');
	t.notThrows(() =>
		fc.assert(
			fc.property(
				name,
				(ifname) => parseEnvironment('ADD', { ...complete, CNI_IFNAME: ifname }).ifname === ifname,
			),
		),
	);
});
