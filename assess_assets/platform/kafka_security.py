"""A broker that asks who one is: TLS with a certificate of its own, SASL/SCRAM, and ACLs.

Belongs here: the broker's settings for that, and those of its clients, which hold secrets: both are
kept in files that only their owner can read. Who may do what in which topic is not decided here.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from assess_assets.platform.java import java
from assess_assets.platform.processes import run_once
from assess_assets.platform.state import HOST

_SCRAM: Final = "SCRAM-SHA-256"
_LOGIN: Final = "org.apache.kafka.common.security"
_ALIAS: Final = "broker"


@dataclass(frozen=True)
class Security:
    """Users and their passwords. The first may do everything; the others nothing without an ACL."""

    folder: Path
    users: Mapping[str, str] = field(repr=False)

    @property
    def admin(self) -> str:
        return next(iter(self.users))

    @property
    def certificate(self) -> Path:
        """The broker's own, which clients have to trust, as PEM."""
        return self.folder / "broker.pem"

    def client(self, user: str) -> dict[str, str]:
        """What a client that is `user` sets beside the broker's address."""
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.certificate),
            "sasl.mechanism": _SCRAM,
            "sasl.username": user,
            "sasl.password": self.users[user],
        }

    def settings_file(self, user: str) -> Path:
        """The same as a file for ASSESS_KAFKA_CONFIG."""
        file = self.folder / f"{user}.properties"
        lines = [f"{name}={value}\n" for name, value in self.client(user).items()]
        write_privately(file, "".join(lines))
        return file

    def make_certificate(self) -> None:
        """Signed by itself and valid for this address, by the JDK's own tool; made once."""
        if self.certificate.exists():
            return
        tool = str(Path(java()).resolve().with_name("keytool"))
        store = ["-keystore", str(self._keystore), "-storepass:env", "STORE", "-alias", _ALIAS]
        about = ["-dname", "CN=assess-assets", "-ext", f"san=ip:{HOST}", "-validity", "3650"]
        secret = {"STORE": self.users[self.admin]}
        pair = [tool, "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", *about, *store]
        run_once("Making Kafka's certificate", self.folder, pair, secret)
        self._keystore.chmod(0o600)
        export = [tool, "-exportcert", "-rfc", "-file", str(self.certificate), *store]
        run_once("Exporting Kafka's certificate", self.folder, export, secret)

    def scram_users(self) -> Sequence[str]:
        """Options of the storage tool: users are made with the storage."""
        return [
            word
            for name, password in self.users.items()
            for word in ("--add-scram", f"{_SCRAM}=[name={name},password={password}]")
        ]

    def broker(self) -> str:
        """The broker's settings. The controller's listener asks for the administrator too."""
        name, password = self.admin, self.users[self.admin]
        who = f'required username="{name}" password="{password}"'
        return (
            "inter.broker.listener.name=CLIENTS\n"
            "listener.security.protocol.map=CLIENTS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT\n"
            f"sasl.enabled.mechanisms={_SCRAM}\n"
            f"sasl.mechanism.inter.broker.protocol={_SCRAM}\n"
            f"listener.name.clients.{_SCRAM.lower()}.sasl.jaas.config="
            f"{_LOGIN}.scram.ScramLoginModule {who};\n"
            "sasl.mechanism.controller.protocol=PLAIN\n"
            "listener.name.controller.sasl.enabled.mechanisms=PLAIN\n"
            "listener.name.controller.plain.sasl.jaas.config="
            f'{_LOGIN}.plain.PlainLoginModule {who} user_{name}="{password}";\n'
            f"ssl.keystore.type=PKCS12\nssl.keystore.location={self._keystore}\n"
            f"ssl.keystore.password={password}\nssl.key.password={password}\n"
            # The broker is a client of itself.
            f"ssl.truststore.type=PEM\nssl.truststore.location={self.certificate}\n"
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            "allow.everyone.if.no.acl.found=false\n"
            f"super.users=User:{name}\n"
        )

    @property
    def _keystore(self) -> Path:
        return self.folder / "broker.p12"


def write_privately(file: Path, text: str) -> None:
    """Readable by its owner only, from the first moment on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
