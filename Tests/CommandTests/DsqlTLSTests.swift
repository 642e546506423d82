import Foundation
import Testing

/// dsql and a TLS server, with certificates made for the test.
@Suite struct DsqlTLSTests {
  /// A server that identifies the client by its certificate: `serve.py CERTIFICATE KEY [AUTHORITY
  /// OF CLIENTS]`. With TLS 1.2 the handshake ends before the client sends data, so its errors are
  /// always reported in the same way.
  static let server = """
    import socket, ssl, sys, threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(sys.argv[3])
    def serve(client):
        try:
            with context.wrap_socket(client, server_side=True) as stream:
                request = b""
                while not request.endswith(b"}"):
                    piece = stream.recv(65536)
                    if not piece:
                        return
                    request += piece
                subject = (stream.getpeercert() or {}).get("subject", ())
                name = dict(pair for pairs in subject for pair in pairs).get("commonName", "nobody")
                body = '["s"]\\n["STRING"]\\n["VARCHAR"]\\n["%s"]\\n\\n' % name
                stream.sendall(("HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s"
                    % (len(body), body)).encode())
        except OSError:
            pass
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """

  /// Makes the certificates, starts a server that requires nothing (`$plain`) and one that requires
  /// a certificate (`$strict`), and defines `ask`, which prints dsql's messages and status.
  static let preparation = #"""
    key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for name in authority stranger; do
      openssl req -x509 $key -keyout $name.key -out $name.pem -days 2 -subj /CN=$name 2> log || cat log >&2
    done
    leaf() {
      openssl req -new $key -keyout $1.key -out $1.csr -subj "/CN=$1" 2> log || cat log >&2
      echo "subjectAltName=$3" > $1.ext
      openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -out $1.pem -days 2 \
        -extfile $1.ext 2> log || cat log >&2
    }
    leaf server authority IP:127.0.0.1
    leaf ada authority DNS:ada
    leaf mallory stranger DNS:mallory
    mkfifo one two
    python3 serve.py server.pem server.key > one & servers=$!
    python3 serve.py server.pem server.key authority.pem > two & servers="$servers $!"
    trap 'kill $servers' EXIT
    read -r plain < one
    read -r strict < two
    ask() {
      dsql --retry 0s -f csv --no-header "$@" -e 'SELECT 1' 2>&1 | sed "s/$plain/PLAIN/; s/$strict/STRICT/"
      echo "${PIPESTATUS[0]}"
    }

    """#

  static func answers(_ script: String) throws -> String {
    let workspace = try Commands.Workspace()
    try workspace.write(server, to: "serve.py")
    try workspace.write(preparation + script, to: "script")
    let outcome = try Commands.run("bash script", in: workspace)
    #expect(outcome.errors == "")
    return outcome.output
  }

  @Test func theServersCertificateIsChecked() throws {
    let answers = try Self.answers(
      """
      ask -u https://127.0.0.1:$plain --ca-cert authority.pem
      ask -u https://127.0.0.1:$plain --insecure
      # No time makes a certificate a better one.
      ask -u https://127.0.0.1:$plain --wait 10m --caught-up 10m
      ask -u https://127.0.0.1:$plain --ca-cert stranger.pem
      ask -u https://localhost:$plain --ca-cert authority.pem
      ask -u https://localhost:$plain --ca-cert authority.pem --insecure
      # The server closes the connection: with what it sent unread, or not.
      ask -u http://127.0.0.1:$plain | sed 's/PLAIN: .*/PLAIN: .../'
      """)
    #expect(
      answers == """
        nobody
        0
        nobody
        0
        dsql: https://127.0.0.1:PLAIN: its certificate is not trusted: unable to get local issuer certificate
        dsql: hint: name the authority that signed it with --ca-cert
        69
        dsql: https://127.0.0.1:PLAIN: its certificate is not trusted: unable to get local issuer certificate
        dsql: hint: name the authority that signed it with --ca-cert
        69
        dsql: https://localhost:PLAIN: its certificate is another server's: no alternative certificate subject name matches target host name 'localhost'
        dsql: hint: use the host name of its certificate in --url
        69
        nobody
        0
        dsql: http://127.0.0.1:PLAIN: ...
        dsql: hint: if that port speaks TLS, begin the URL with https://
        69

        """)
  }

  @Test func theClientShowsItsOwn() throws {
    let answers = try Self.answers(
      """
      with="-u https://127.0.0.1:$strict --ca-cert authority.pem"
      ask $with --client-cert ada.pem --client-key ada.key
      cat ada.pem ada.key > both.pem
      ask $with --client-cert both.pem
      ask $with --client-cert mallory.pem --client-key mallory.key
      ask $with
      """)
    #expect(
      answers == """
        ada
        0
        ada
        0
        dsql: https://127.0.0.1:STRICT refuses the client's certificate: unknown ca
        dsql: hint: use a certificate that it trusts (--client-cert) with its key (--client-key)
        77
        dsql: https://127.0.0.1:STRICT: TLS fails: handshake failure
        dsql: hint: the server may require --client-cert and --client-key, or not use TLS there
        69

        """)
  }

  @Test func filesThatAreNone() throws {
    let answers = try Self.answers(
      """
      with="-u https://127.0.0.1:$strict"
      ask $with --ca-cert none.pem
      ask $with --ca-cert script
      ask $with --ca-cert authority.pem --client-cert ada.pem --client-key none.key
      ask $with --ca-cert authority.pem --client-cert ada.pem --client-key mallory.key
      openssl pkey -aes128 -passout pass:secret -in ada.key -out locked.key 2> /dev/null
      ask $with --ca-cert authority.pem --client-cert ada.pem --client-key locked.key
      ask $with --ca-cert authority.pem --client-key ada.key
      """)
    #expect(
      answers == """
        dsql: opening 'none.pem': no such file or directory
        74
        dsql: 'script': it contains no certificate
        74
        dsql: opening 'none.key': no such file or directory
        74
        dsql: 'ada.pem' with 'mallory.key': unable to set private key file: 'mallory.key' type PEM
        dsql: hint: use a PEM certificate and its key, the key without a passphrase
        74
        dsql: 'ada.pem' with 'locked.key': unable to set private key file: 'locked.key' type PEM
        dsql: hint: use a PEM certificate and its key, the key without a passphrase
        74
        dsql: --client-key needs --client-cert
        64

        """)
  }

  /// TLS to a plain server, and plain HTTP to a TLS server.
  @Test func oneSideSpeaksTLS() throws {
    let answers = try Self.answers("ask -u http://127.0.0.1:$plain | tail -n 1")
    #expect(answers == "69\n")
    let outcome = try Commands.run(
      "devstack -- sh -c 'dsql --retry 0s -u https://${DRUID_URL#http://} -e \"SELECT 1\"'",
      in: Commands.Workspace())
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("TLS fails: "), "\(outcome.errors)")
    #expect(outcome.errors.contains("or not use TLS there"))
  }
}
