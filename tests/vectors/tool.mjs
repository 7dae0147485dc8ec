// What tests/vectors/run.py asks of npm's packages. It is copied beside their folder, so that Node finds them.
//   node tool.mjs vectors                      prints {name: base64 of the vector}
//   node tool.mjs seal RECIPIENT FILE SEALED   seals with age-encryption, the format's implementation in TypeScript
//   node tool.mjs open IDENTITY SEALED FILE
import { readFileSync, writeFileSync } from "node:fs";

const [command, key, from, to] = process.argv.slice(2);
if (command === "vectors") {
  const vectors = await import("cctv-age");
  const texts = Object.entries(vectors).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
  process.stdout.write(JSON.stringify(Object.fromEntries(texts)));
} else {
  const age = await import("age-encryption");
  const data = new Uint8Array(readFileSync(from));
  if (command === "seal") {
    const sealer = new age.Encrypter();
    sealer.addRecipient(key);
    writeFileSync(to, await sealer.encrypt(data));
  } else {
    const opener = new age.Decrypter();
    opener.addIdentity(key);
    writeFileSync(to, await opener.decrypt(data));
  }
}
