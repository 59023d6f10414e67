"""Counts round trips: stands between clients and the server and counts how often the server says that it is ready."""
import os, socket, struct, tempfile, threading


class CountingProxy:
    def __enter__(self):
        self.count = 0
        self.guard = threading.Lock()
        self.folder = tempfile.TemporaryDirectory()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.folder.name}/.s.PGSQL.{os.environ['PGPORT']}")
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()

    def address(self, database):
        return f"postgres://{os.environ['PGUSER']}@/{database}?host={self.folder.name}&port={os.environ['PGPORT']}&sslmode=disable"

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}")
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
            threading.Thread(target=self._count, args=(server, client), daemon=True).start()

    def _pass(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def _count(self, server, client):
        """Messages of the server: a type, a length that counts itself, content (PostgreSQL manual, 55.7)."""
        rest = b""
        try:
            while data := server.recv(65536):
                client.sendall(data)
                rest += data
                while len(rest) >= 5:
                    length = struct.unpack("!I", rest[1:5])[0] + 1
                    if len(rest) < length:
                        break
                    if rest[:1] == b"Z":
                        with self.guard:
                            self.count += 1
                    rest = rest[length:]
        except OSError:
            pass
        finally:
            client.close()
