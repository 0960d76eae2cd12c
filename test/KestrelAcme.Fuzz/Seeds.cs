using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;

namespace KestrelAcme.Fuzz;

/// <summary>Valid inputs, one or a few for each target, from which a fuzzer starts.</summary>
internal static class Seeds
{
    private static readonly DateTimeOffset Begin = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ECDsa IssuerKey = FixedKey("issuer");
    private static readonly ECDsa LeafKey = FixedKey("leaf");

    /// <summary>Where the test certificate's revocation list is.</summary>
    public static Uri RevocationListUrl { get; } = new("http://crl.example/1.crl");

    /// <summary>The issuer of <see cref="Certificate"/>.</summary>
    public static X509Certificate2 Issuer { get; } = CreateIssuer();

    /// <summary>A certificate that fits its key.</summary>
    public static CertificateRecord Certificate { get; } = CreateCertificate();

    /// <summary>Signs a TBSCertList, whatever it holds.</summary>
    public static byte[] SignRevocationList(ReadOnlySpan<byte> signed)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        writer.PushSequence();
        try
        {
            writer.WriteEncodedValue(signed);
        }
        catch (Exception exception) when (exception is ArgumentException or AsnContentException)
        {
            // Not even one DER value: what is signed is then the whole input, as it is.
            return signed.ToArray();
        }

        writer.PushSequence();
        writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
        writer.PopSequence();
        writer.WriteBitString(IssuerKey.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        writer.PopSequence();
        return writer.Encode();
    }

    /// <summary>Writes one folder for each target.</summary>
    public static void Write(string folder)
    {
        foreach (var (target, name, content) in All())
        {
            var place = Path.Combine(folder, target);
            Directory.CreateDirectory(place);
            File.WriteAllBytes(Path.Combine(place, name), content);
        }
    }

    /// <summary>The valid inputs that fuzzing begins with.</summary>
    public static IEnumerable<(string Target, string Name, byte[] Content)> All()
    {
        yield return ("client-hello", "one-record", ClientHello("www.example.com", 4096));
        yield return ("client-hello", "many-records", ClientHello("www.example.com", 40));
        yield return ("client-hello", "address", ClientHello("192.0.2.1", 4096));
        yield return ("dns-message", "txt", DnsAnswer(16, [5, .. "value"u8]));
        yield return ("dns-message", "cname", DnsAnswer(5, [3, .. "foo"u8, 0xC0, 12]));
        yield return ("dns-message", "soa", DnsAnswer(6, [0xC0, 12, 0xC0, 12, .. new byte[20]]));
        yield return ("dns-message", "caa", DnsAnswer(257, [0, 5, .. "issueca.example"u8]));
        yield return ("certificate", "leaf", Certificate.Chain[0].ToArray());
        yield return ("certificate", "issuer", Certificate.Chain[1].ToArray());
        yield return ("pem-chain", "two", Encoding.ASCII.GetBytes(
            string.Join('\n', Certificate.Chain.Select(c => PemEncoding.WriteString("CERTIFICATE", c.Span)))));
        yield return ("crl", "signed-part", RevocationListToBeSigned());
        yield return ("stored-certificate", "two", CertificateFile.Encode(Certificate));
        yield return ("stored-state", "order", StateFile.Encode(State()));
        yield return ("stored-state", "empty", StateFile.Encode(CertificateStateRecord.Empty));
        yield return ("stored-account", "one-key", AccountFile.Encode(Account()));
        yield return ("stored-account", "two-keys", AccountFile.Encode(
            Account() with { NextPrivateKeyPem = IssuerKey.ExportPkcs8PrivateKeyPem() }));
        yield return ("stored-lists", "revocation", RevocationListFile.Encode(new RevocationListRecord
        {
            Url = RevocationListUrl,
            IssuerKey = "00",
            NextChecks = new Dictionary<string, DateTimeOffset> { ["00"] = Begin },
            Number = "12",
        }));
        yield return ("stored-lists", "domains", DomainSourceFile.Encode(new DomainSourceRecord { Names = ["www.example.com"] }));
        yield return ("stored-lists", "housekeeping", HousekeepingFile.Encode(
            new Dictionary<string, UnusedMark> { ["certificates/a"] = new(Begin, 2, Begin) }));
        yield return ("problem", "subproblems", """
            {"type":"urn:ietf:params:acme:error:malformed","detail":"no","status":400,"instance":"https://ca.example/help",
             "identifier":{"type":"dns","value":"a.example"},
             "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"x","identifier":{"type":"dns","value":"b.example"}}],
             "algorithms":["ES256"]}
            """u8.ToArray());
        yield return ("acme-object", "order", """
            {"status":"valid","expires":"2026-11-02T00:00:00Z","identifiers":[{"type":"dns","value":"a.example"}],
             "authorizations":["https://ca.example/authz/1"],
             "finalize":"https://ca.example/finalize/1","certificate":"https://ca.example/cert/1",
             "replaces":"a.b","profile":"classic","notBefore":"2026-01-01T00:00:00Z"}
            """u8.ToArray());
        yield return ("acme-object", "authorization", """
            {"status":"pending","expires":"2026-11-02T00:00:00Z","identifier":{"type":"dns","value":"a.example"},"wildcard":true,
             "challenges":[{"type":"http-01","url":"https://ca.example/chall/1","token":"abc","status":"invalid",
             "validated":"2026-11-02T00:00:00Z","error":{"type":"about:blank"}}]}
            """u8.ToArray());
        yield return ("acme-object", "directory", """
            {"newNonce":"https://ca.example/n","newAccount":"https://ca.example/a","newOrder":"https://ca.example/o",
             "revokeCert":"https://ca.example/r","keyChange":"https://ca.example/k",
             "renewalInfo":"https://ca.example/i","meta":{"termsOfService":"https://ca.example/tos","caaIdentities":["ca.example"],
             "externalAccountRequired":false,"profiles":{"classic":"the usual"}}}
            """u8.ToArray());
        yield return ("acme-object", "order-list", """{"orders":["https://ca.example/order/1"]}"""u8.ToArray());
        yield return ("acme-object", "renewal-info", """
            {"suggestedWindow":{"start":"2026-11-02T00:00:00Z","end":"2026-11-03T00:00:00Z"},"explanationURL":"https://ca.example/why"}
            """u8.ToArray());
        yield return ("link", "several",
            "<https://ca.example/1>;rel=\"alternate\", </2>; rel=up; title=\"a, b\"\n<x>;rel=next"u8.ToArray());
        yield return ("retry-after", "seconds", "120"u8.ToArray());
        yield return ("retry-after", "date", "Sun, 01 Nov 2026 00:02:00 GMT"u8.ToArray());
    }

    private static byte[] ClientHello(string name, int recordLength)
    {
        byte[] sni = [0, 0, .. Vector16([.. Vector16([0, .. Vector16(Encoding.ASCII.GetBytes(name))])])];
        byte[] alpn = [0, 16, .. Vector16(Vector16([10, .. "acme-tls/1"u8]))];
        byte[] signatures = [0, 13, .. Vector16(Vector16([4, 3, 8, 4]))];
        byte[] versions = [0, 43, .. Vector16([4, 3, 4, 3, 3])];
        byte[] body =
        [
            3, 3, .. new byte[32], 0, .. Vector16([0x13, 1, 0xC0, 0x2B]), 1, 0,
            .. Vector16([.. sni, .. alpn, .. signatures, .. versions]),
        ];
        byte[] message = [1, 0, .. Vector16(body)];
        return [.. message.Chunk(recordLength).SelectMany(part => (byte[])[22, 3, 1, .. Vector16(part)])];
    }

    private static byte[] Vector16(byte[] content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];

    private static byte[] DnsAnswer(int type, byte[] data) =>
    [
        0x12, 0x34, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 1,
        7, .. "example"u8, 3, .. "com"u8, 0, (byte)(type >> 8), (byte)type, 0, 1,
        0xC0, 12, (byte)(type >> 8), (byte)type, 0, 1, 0, 0, 0, 60, .. Vector16(data),
        0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0,
    ];

    private static ECDsa FixedKey(string name) => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        D = SHA256.HashData(Encoding.ASCII.GetBytes(name)),
    });

    private static X509Certificate2 CreateIssuer()
    {
        var request = new CertificateRequest("CN=Fuzz Issuer", IssuerKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(Begin, Begin.AddYears(5));
    }

    private static CertificateRecord CreateCertificate()
    {
        var request = new CertificateRequest("CN=www.example.com", LeafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("www.example.com");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([RevocationListUrl.AbsoluteUri]));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
                new X509SubjectKeyIdentifierExtension(Issuer.PublicKey, false)));
        using var leaf = request.Create(
            Issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(IssuerKey), Begin, Begin.AddDays(90), [0x0A]);
        return new CertificateRecord([leaf.RawData, Issuer.RawData], LeafKey.ExportPkcs8PrivateKey(), new CertificateMetadata
        {
            Names = ["www.example.com"],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://ca.example/directory"),
            AccountUrl = new Uri("https://ca.example/acct/1"),
            ObtainedAt = Begin,
            Jitter = 0.5,
        });
    }

    private static byte[] RevocationListToBeSigned()
    {
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry([0x0A], Begin, X509RevocationReason.KeyCompromise);
        var whole = builder.Build(Issuer, 7, Begin.AddDays(9), HashAlgorithmName.SHA256, thisUpdate: Begin);
        return new AsnReader(whole, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
    }

    private static AccountRecord Account() => new(LeafKey.ExportPkcs8PrivateKeyPem(), new AccountMetadata
    {
        DirectoryUrl = new Uri("https://ca.example/directory"),
        AccountUrl = new Uri("https://ca.example/acct/1"),
        CreatedAt = Begin,
        EmailAddress = "admin@example.com",
    });

    private static CertificateStateRecord State() => CertificateStateRecord.Empty with
    {
        Issued = [Begin],
        StoredOrder = new StoredOrder
        {
            Names = ["www.example.com"],
            KeyAlgorithm = "EcdsaP256",
            PrivateKey = LeafKey.ExportPkcs8PrivateKey(),
            DirectoryUrl = new Uri("https://ca.example/directory"),
            AccountUrl = new Uri("https://ca.example/acct/1"),
            At = Begin,
            OrderUrl = new Uri("https://ca.example/order/1"),
            Expires = Begin.AddDays(1),
        },
    };
}
