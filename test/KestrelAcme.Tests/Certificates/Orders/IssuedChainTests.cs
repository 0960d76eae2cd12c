using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Protocol.Certificates;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class IssuedChainTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);
    private static readonly string[] Names = ["app.test"];

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Authority _root = new("Root", issuer: null);
    private readonly Authority _upper;
    private readonly Authority _lower;
    private readonly byte[] _leaf;

    public IssuedChainTests()
    {
        _upper = new Authority("Upper", _root);
        _lower = new Authority("Lower", _upper);
        _leaf = _lower.Issue("app.test", _key);
    }

    public static TheoryData<string> Forms =>
    [
        "L l u", "L u l", "u l L", "l L u", "L L l u", "L l u r", "r u l L", "L l u f", "f L l u", "L f l u", "L l l u u", "u L r l f L",
        "L l u o",
    ];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Arrange_Form_IsTheChain(string form)
    {
        var chain = IssuedChain.Arrange(Sent(form), _key.ExportSubjectPublicKeyInfo());

        Assert.NotNull(chain);
        AssertChain(chain.Certificates, _leaf, _lower.Der, _upper.Der);
    }

    [Fact]
    public void Arrange_NoLeafForTheKey_IsNone() => Assert.Null(IssuedChain.Arrange(Sent("l u r"), _key.ExportSubjectPublicKeyInfo()));

    [Fact]
    public void Arrange_RootSignedTheLeaf_IsTheLeafAlone()
    {
        var leaf = _root.Issue("app.test", _key);

        var chain = IssuedChain.Arrange([_root.Der, leaf], _key.ExportSubjectPublicKeyInfo());

        AssertChain(chain!.Certificates, leaf);
        Assert.True(chain.IsRootLeftOut);
        AssertChain(chain.Stored, leaf, _root.Der);
    }

    [Fact]
    public void Arrange_RootAndItsCrossSignedTwin_TakesTheTwin()
    {
        using var old = new Authority("Old Root", issuer: null);
        var twin = old.CrossSign(_root);

        AssertChain(
            IssuedChain.Arrange([_leaf, _lower.Der, _upper.Der, _root.Der, twin, old.Der], _key.ExportSubjectPublicKeyInfo())!.Certificates,
            _leaf, _lower.Der, _upper.Der, twin);
    }

    [Fact]
    public void Arrange_IssuerOfTheSameNameWithAnotherKey_IsSkipped()
    {
        using var impostor = new Authority("Lower", _upper);

        AssertChain(
            IssuedChain.Arrange([_leaf, impostor.Der, _lower.Der, _upper.Der], _key.ExportSubjectPublicKeyInfo())!.Certificates, _leaf,
            _lower.Der, _upper.Der);
    }

    [Fact]
    public void Arrange_EarlierCertificateOfTheSameKey_TheNewestIsTheLeaf()
    {
        var earlier = _lower.Issue("app.test", _key, Now.AddDays(-60));

        AssertChain(IssuedChain.Arrange([earlier, _leaf, _lower.Der], _key.ExportSubjectPublicKeyInfo())!.Certificates, _leaf, _lower.Der);
    }

    [Fact]
    public void Arrange_IssuerNamedInAnotherEncoding_IsFound()
    {
        var name = new X500DistinguishedNameBuilder();
        name.Add("2.5.4.3", "LOWER", System.Formats.Asn1.UniversalTagNumber.PrintableString);
        var leaf = _lower.Issue("app.test", _key, issuer: name.Build());

        AssertChain(
            IssuedChain.Arrange([_upper.Der, leaf, _lower.Der], _key.ExportSubjectPublicKeyInfo())!.Certificates, leaf, _lower.Der,
            _upper.Der);
    }

    [Fact]
    public void Arrange_CircleOfIssuers_Ends()
    {
        using var first = new Authority("A", issuer: null);
        using var second = new Authority("B", first);
        var again = second.CrossSign(first);
        var leaf = second.Issue("app.test", _key);

        AssertChain(
            IssuedChain.Arrange([leaf, second.Der, again], _key.ExportSubjectPublicKeyInfo())!.Certificates, leaf, second.Der, again);
    }

    [Fact]
    public void Arrange_AlternateForAnotherCertificate_IsNotChosen()
    {
        using var preferred = new Authority("Preferred", issuer: null);
        using var below = new Authority("Below", preferred);
        var stranger = below.Issue("app.test", _key);

        var chosen = Arrange([Chain(_leaf, _lower.Der, _upper.Der), Chain(stranger, below.Der)], "Preferred");

        AssertChain(chosen, _leaf, _lower.Der, _upper.Der);
    }

    [Fact]
    public void Arrange_PreferredAlternateInOddForm_IsChosenAndPutInOrder()
    {
        using var preferred = new Authority("Preferred", issuer: null);
        var cross = preferred.CrossSign(_root);

        var chosen = Arrange(
            [Chain(_leaf, _lower.Der, _upper.Der), Chain(cross, _upper.Der, _leaf, _leaf, _lower.Der, preferred.Der)], "Preferred");

        AssertChain(chosen, _leaf, _lower.Der, _upper.Der, cross);
    }

    [Fact]
    public void Arrange_OnlyTheLeafMatches_IsUnusableIfAChainIsExpected()
    {
        using var foreign = new Authority("Foreign", issuer: null);

        var exception = Assert.Throws<UnusableCertificateException>(() => Arrange([Chain(_leaf, foreign.Der)], preferred: null));

        Assert.False(exception.IsLeafWrong);
    }

    [Theory]
    [InlineData("other.test", 30)]
    [InlineData("app.test", -1)]
    public void Arrange_WrongLeaf_SaysThatNoDownloadCanHelp(string name, int days)
    {
        var leaf = _lower.Issue(name, _key, Now.AddDays(-90), Now.AddDays(days));

        Assert.True(Assert.Throws<UnusableCertificateException>(() => Arrange([Chain(leaf, _lower.Der)], preferred: null)).IsLeafWrong);
    }

    public void Dispose()
    {
        _key.Dispose();
        _root.Dispose();
        _upper.Dispose();
        _lower.Dispose();
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> Arrange(IReadOnlyList<CertificateChain> offered, string? preferred)
        => IssuedCertificateCheck.Arrange(offered, preferred, _key, Names, chainExpected: true, Now);

    private List<ReadOnlyMemory<byte>> Sent(string form)
    {
        using var foreign = new Authority("Foreign", issuer: null);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var other = _lower.Issue("app.test", otherKey);
        return
        [
            .. form.Split(' ').Select(part => (ReadOnlyMemory<byte>)(part switch
            {
                "L" => _leaf,
                "l" => _lower.Der,
                "u" => _upper.Der,
                "r" => _root.Der,
                "o" => other,
                _ => foreign.Der,
            })),
        ];
    }

    private static CertificateChain Chain(params byte[][] certificates)
        => new() { Url = new Uri("https://ca.test/cert"), Certificates = [.. certificates.Select(der => (ReadOnlyMemory<byte>)der)] };

    private static void AssertChain(IReadOnlyList<ReadOnlyMemory<byte>> chain, params byte[][] expected)
        => Assert.Equal(expected.Select(Convert.ToHexString), chain.Select(der => Convert.ToHexString(der.Span)));

    private sealed class Authority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;

        public Authority(string name, Authority? issuer)
        {
            var request = Request(name, _key, isAuthority: true);
            if (issuer is null)
            {
                using var own = request.CreateSelfSigned(Now.AddYears(-5), Now.AddYears(5));
                _certificate = X509CertificateLoader.LoadCertificate(own.RawData);
            }
            else
            {
                _certificate = X509CertificateLoader.LoadCertificate(issuer.Sign(request, Now.AddYears(-4), Now.AddYears(4)));
            }
        }

        public byte[] Der => _certificate.RawData;

        public byte[] Issue(
            string name, ECDsa key, DateTimeOffset? begin = null, DateTimeOffset? end = null, X500DistinguishedName? issuer = null)
        {
            var request = Request(name, key, isAuthority: false);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            return Sign(request, begin ?? Now.AddDays(-1), end ?? Now.AddDays(89), issuer);
        }

        public byte[] CrossSign(Authority other)
            => Sign(Request(other._certificate.SubjectName.Name[3..], other._key, isAuthority: true), Now.AddYears(-3), Now.AddYears(3));

        public void Dispose()
        {
            _certificate.Dispose();
            _key.Dispose();
        }

        private byte[] Sign(CertificateRequest request, DateTimeOffset begin, DateTimeOffset end, X500DistinguishedName? issuer = null)
        {
            request.CertificateExtensions.Add(
                X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
                    _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
            using var signed = request.Create(
                issuer ?? _certificate.SubjectName,
                X509SignatureGenerator.CreateForECDsa(_key),
                begin,
                end,
                [1, .. RandomNumberGenerator.GetBytes(8)]);
            return signed.RawData;
        }

        private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
        {
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            return request;
        }
    }
}
