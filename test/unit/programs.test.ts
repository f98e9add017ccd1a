import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { ProgramArgs } from "../../components/programs/args";
import { installProgram, programId, pruneProgram } from "../../components/programs/install";
import { mirrorProblems, planProgram, type ProgramDefaults } from "../../components/programs/plan";
import { type HostProgram, showSource } from "../../components/programs/program";
import type { ScriptValues } from "../../components/remote/script";
import type { SshSession } from "../../components/remote/ssh";

const flannel: ProgramDefaults = {
  name: "flanneld",
  version: "v0.26.7",
  image: "ghcr.io/flannel-io/flannel",
  files: { flanneld: "/opt/bin/flanneld" },
};
const etcd: ProgramDefaults = {
  name: "etcd",
  version: "v3.5.16",
  image: "gcr.io/etcd-development/etcd",
  files: { etcd: "/usr/local/bin/etcd", etcdctl: "/usr/local/bin/etcdctl" },
};
const sum = "0123456789abcdef".repeat(4);
const digest = `sha256:${sum}`;
const file = { url: "https://files.example.com/flanneld", sha256: sum, version: "v1" };

function planned(args: ProgramArgs | undefined, { of = flannel, mirror }: { of?: ProgramDefaults; mirror?: string } = {}): HostProgram {
  const { program, problems } = planProgram(of, args, "overlay.router", mirror);
  assert.deepEqual(problems, []);
  return program;
}

const source = (args: ProgramArgs | undefined, mirror?: string): string => showSource(planned(args, mirror === undefined ? {} : { mirror }));

describe("where a program comes from", () => {
  it("is the project's own image at the version that was tested, when nothing is said", () => {
    assert.deepEqual(planned(undefined), {
      name: "flanneld",
      version: "v0.26.7",
      source: { kind: "image", reference: "ghcr.io/flannel-io/flannel:v0.26.7", files: { flanneld: "/opt/bin/flanneld" } },
    });
  });

  for (const [args, mirror, shown] of [
    [undefined, undefined, "ghcr.io/flannel-io/flannel:v0.26.7"],
    [{}, undefined, "ghcr.io/flannel-io/flannel:v0.26.7"],
    [{ version: "v0.25.7" }, undefined, "ghcr.io/flannel-io/flannel:v0.25.7"],
    [{ digest }, undefined, "ghcr.io/flannel-io/flannel:v0.26.7@sha256:0123456789ab…"],
    [{ image: "registry.example.com:5000/own/flannel" }, undefined, "registry.example.com:5000/own/flannel:v0.26.7"],
    [{ image: "registry.example.com:5000/own/flannel:v9" }, undefined, "registry.example.com:5000/own/flannel:v9"],
    [{ image: "flannel/flannel", version: "v9" }, undefined, "flannel/flannel:v9"],
    [undefined, "10.0.0.1:5000", "10.0.0.1:5000/flannel-io/flannel:v0.26.7"],
    [{ version: "v0.25.7", digest }, "registry.example.com/cache", "registry.example.com/cache/flannel-io/flannel:v0.25.7@sha256:0123456789ab…"],
    [{ image: "registry.example.com/flannel" }, "10.0.0.1:5000", "registry.example.com/flannel:v0.26.7"],
    [file, "10.0.0.1:5000", "https://files.example.com/flanneld (sha256 0123456789ab…)"],
    [{ ...file, url: "file:///srv/flanneld", sha256: sum.toUpperCase() }, undefined, "file:///srv/flanneld (sha256 0123456789ab…)"],
  ] as const) {
    it(`is ${shown} for ${JSON.stringify(args ?? "nothing")}${mirror === undefined ? "" : ` with the mirror ${mirror}`}`, () => {
      assert.equal(source(args, mirror), shown);
    });
  }

  it("keeps the whole digest for the hosts", () => {
    const { source } = planned({ digest });
    assert.equal(source.kind === "image" && source.reference, `ghcr.io/flannel-io/flannel:v0.26.7@${digest}`);
  });

  it("takes the version from the image's tag", () => {
    assert.equal(planned({ image: "registry.example.com/flannel:v9" }).version, "v9");
  });

  const wrong = (args: unknown): ProgramArgs => args as ProgramArgs;
  const fetched = "write one that begins with https://, http:// or, for a file that lies on each host, file:///";
  for (const [args, ...expected] of [
    [wrong("v0.26.7"), 'overlay.router: "v0.26.7" does not say where flanneld comes from → give { version }, { image }, or { url, sha256, version }'],
    [wrong([]), "overlay.router: [] does not say where flanneld comes from → give { version }, { image }, or { url, sha256, version }"],
    [wrong({ tag: "v1" }), "overlay.router.tag: tag is not an option of a program; did you mean version? → write version"],
    [
      wrong({ ...file, image: "own/flannel" }),
      "overlay.router.image: url is given too: a program comes out of an image or from a file → keep image or url",
    ],
    [wrong({ ...file, digest }), "overlay.router.digest: url is given too: a program comes out of an image or from a file → keep digest or url"],
    [
      wrong({ image: "own/flannel", sha256: sum }),
      "overlay.router.image: sha256 is given too: a program comes out of an image or from a file → keep image or sha256",
      `overlay.router.url: it is not said where the file with this checksum is → ${fetched}`,
      "overlay.router.version: a file's version is not given → say which version of flanneld it is: the preview shows it",
    ],
    [
      wrong({ url: file.url }),
      "overlay.router.version: a file's version is not given → say which version of flanneld it is: the preview shows it",
      "overlay.router.sha256: a file's checksum is not given → write what sha256sum prints of it",
    ],
    [{ ...file, sha256: "abc" }, 'overlay.router.sha256: "abc" is not a SHA-256 checksum → write the 64 hexadecimal digits that sha256sum prints'],
    [{ ...file, url: "ftp://example.com/flanneld" }, `overlay.router.url: hosts cannot fetch from ftp: → ${fetched}`],
    [{ ...file, url: "flanneld" }, `overlay.router.url: "flanneld" is not an address → ${fetched}`],
    [{ ...file, url: "https://example.com/a b" }, `overlay.router.url: "https://example.com/a b" is not an address → ${fetched}`],
    [
      { ...file, url: "file://server/srv/flanneld" },
      'overlay.router.url: "file://server/srv/flanneld" is not a file on each host → write file:/// and the whole path',
    ],
    [
      { ...file, url: "https://me:word@example.com/flanneld" },
      "overlay.router.url: it has a user's name or password in it, which the preview would show → put the file where no password is asked for",
    ],
    [
      { version: "v0.26.7 beta" },
      'overlay.router.version: "v0.26.7 beta" is not a version → write it as the image\'s tag, such as v1.2.3: letters, digits, dots, dashes and underscores',
    ],
    [
      { ...file, version: "../v1" },
      'overlay.router.version: "../v1" is not a version → write it as the image\'s tag, such as v1.2.3: letters, digits, dots, dashes and underscores',
    ],
    [
      wrong({ version: 26 }),
      "overlay.router.version: 26 is not a version → write it as the image's tag, such as v1.2.3: letters, digits, dots, dashes and underscores",
    ],
    [
      { digest: "sha256:12" },
      'overlay.router.digest: "sha256:12" is not an image\'s digest → write sha256: and 64 hexadecimal digits, as docker pull prints it',
    ],
    [{ image: "own/flannel:v9", version: "v9" }, 'overlay.router.version: the image has the tag "v9", and version is given too → keep one of them'],
    [{ image: `own/flannel@${digest}` }, `overlay.router.image: "own/flannel@${digest}" has a digest in it → give what follows the @ as digest`],
    [
      { image: "https://ghcr.io/flannel-io/flannel" },
      'overlay.router.image: "https://ghcr.io/flannel-io/flannel" is not the name of an image → write registry/name, such as registry.example.com/flannel',
    ],
    [
      { image: "ghcr.io/Flannel" },
      'overlay.router.image: "ghcr.io/Flannel" is not the name of an image → write registry/name, such as registry.example.com/flannel',
    ],
  ] as const) {
    it(`is refused for ${JSON.stringify(args).slice(0, 90)}`, () => {
      const { problems } = planProgram(flannel, args, "overlay.router", undefined);
      assert.deepEqual(
        problems.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`),
        expected,
      );
    });
  }

  it("is refused for one file that should be two programs, and allowed for an archive", () => {
    const { problems } = planProgram(etcd, file, "overlay.etcd", undefined);
    assert.deepEqual(problems, [{ path: "overlay.etcd.url", message: "one file cannot be etcd and etcdctl", fix: "give a .tar.gz that holds them" }]);
    planned({ ...file, url: "https://files.example.com/etcd.tar.gz?download=1" }, { of: etcd });
  });
});

describe("a registry that stands in for the others", () => {
  for (const mirror of [undefined, "10.0.0.1:5000", "registry.example.com", "registry.example.com:443/a/b-c", "localhost", "[fd00::1]:5000"]) {
    it(`may be ${mirror ?? "left out"}`, () => assert.deepEqual(mirrorProblems(mirror), []));
  }

  const form = "write host, host:port or host:port/path";
  const example = ", such as 10.0.0.1:5000 or registry.example.com/mirror";
  for (const [mirror, message, fix] of [
    ["https://registry.example.com", '"https://registry.example.com" is not a registry', `${form}, without http:// or https://${example}`],
    ["registry.example.com/", '"registry.example.com/" is not a registry', form + example],
    ["registry.example.com/Path", '"registry.example.com/Path" is not a registry', form + example],
    ["10.0.0.1:70000", '"10.0.0.1:70000" is not a registry', form + example],
    ["", '"" is not a registry', form + example],
    [5000, "5000 is not a registry", form + example],
    ["registry", 'Docker takes "registry" for a name on Docker Hub, not for a registry', "write the port too: registry:443"],
    ["registry/path", 'Docker takes "registry" for a name on Docker Hub, not for a registry', "write the port too: registry:443"],
  ] as const) {
    it(`may not be ${JSON.stringify(mirror)}`, () => assert.deepEqual(mirrorProblems(mirror), [{ path: "programs.mirror", message, fix }]));
  }
});

describe("the folder of a program on a host", () => {
  it("is another one for another version, tag, digest or checksum", () => {
    const ids = [
      planned(undefined),
      planned({ version: "v0.25.7" }),
      planned({ digest }),
      planned({ image: "own/flannel" }),
      planned(file),
      planned({ ...file, sha256: sum.replace("0", "f") }),
      planned({ ...file, version: "v2" }),
      planned({ ...file, url: "https://files.example.com/flanneld.tar.gz" }),
    ].map(programId);
    assert.equal(new Set(ids).size, ids.length, ids.join(" "));
  });

  it("is the same one for the same bytes from another place, so that nothing is restarted for that", () => {
    assert.equal(programId(planned({ digest })), programId(planned({ digest }, { mirror: "10.0.0.1:5000" })));
    assert.equal(programId(planned(file)), programId(planned({ ...file, url: "file:///srv/flanneld" })));
  });

  it("is named as a folder can be, and as it was named before: another name would restart what runs", () => {
    assert.equal(programId(planned(undefined)), "v0.26.7-200401f991");
    fc.assert(
      fc.property(fc.string(), (version) => {
        const { program, problems } = planProgram(flannel, { version }, "p", undefined);
        assert.match(programId(program), /^\w[\w.-]*$/);
        if (problems.length === 0) assert.ok(programId(program).startsWith(`${version}-`));
      }),
    );
  });
});

interface Call {
  readonly verb: string;
  readonly values: ScriptValues;
}

class FakeSession {
  readonly calls: Call[] = [];
  readonly session: Pick<SshSession, "script"> = {
    script: (async (_text: string, values: ScriptValues, { verb, onProgress }: { verb: string; onProgress?: (line: string) => void }) => {
      this.calls.push({ verb, values });
      onProgress?.("pulling");
      return { changed: true };
    }) as SshSession["script"],
  };

  get values(): ScriptValues {
    return this.calls[0]?.values ?? {};
  }
}

describe("installing a program", () => {
  it("has each host pull the image, and tells where the files are", async () => {
    const fake = new FakeSession();
    const said: string[] = [];
    const { folder, changed } = await installProgram(fake.session, planned(undefined, { of: etcd, mirror: "10.0.0.1:5000" }), (line) =>
      said.push(line),
    );
    const id = folder.replace("/usr/local/lib/pulumi-swarm/etcd/", "");
    assert.deepEqual(fake.calls, [
      {
        verb: "install",
        values: {
          NAME: "etcd",
          ID: id,
          KIND: "image",
          IMAGE: "10.0.0.1:5000/etcd-development/etcd:v3.5.16",
          FILES: "etcd /usr/local/bin/etcd\netcdctl /usr/local/bin/etcdctl",
        },
      },
    ]);
    assert.deepEqual([changed, said], [true, ["pulling"]]);
  });

  it("pulls by the digest where one is pinned, and by nothing else", async () => {
    const fake = new FakeSession();
    await installProgram(fake.session, planned({ digest }, { mirror: "10.0.0.1:5000" }), () => {});
    assert.equal(fake.values["IMAGE"], `10.0.0.1:5000/flannel-io/flannel@${digest}`);
  });

  it("has each host fetch a file, or take the one it has", async () => {
    const values = async (url: string): Promise<ScriptValues> => {
      const fake = new FakeSession();
      await installProgram(fake.session, planned({ ...file, url }), () => {});
      const { NAME: _name, ID: _id, ...rest } = fake.values;
      return rest;
    };
    const common = { SHA256: sum, FILES: "flanneld" };
    assert.deepEqual(await values("https://example.com/f"), { KIND: "file", URL: "https://example.com/f", LOCAL: "", ...common });
    assert.deepEqual(await values("http://example.com/f.tgz?x=1"), { KIND: "archive", URL: "http://example.com/f.tgz?x=1", LOCAL: "", ...common });
    assert.deepEqual(await values("file:///srv/my%20files/f.tar.gz"), { KIND: "archive", URL: "", LOCAL: "/srv/my files/f.tar.gz", ...common });
  });

  it("takes the other versions away, or all", async () => {
    const fake = new FakeSession();
    await pruneProgram(fake.session, "flanneld", planned(undefined));
    await pruneProgram(fake.session, "flanneld", undefined);
    assert.deepEqual(fake.calls, [
      { verb: "prune", values: { NAME: "flanneld", KEEP: programId(planned(undefined)) } },
      { verb: "prune", values: { NAME: "flanneld", KEEP: "" } },
    ]);
  });
});
