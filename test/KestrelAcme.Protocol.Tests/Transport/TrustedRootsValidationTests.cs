using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class TrustedRootsValidationTests : IDisposable
{
    // No certificate may end after its issuer, which may be created a second earlier.
    private static readonly DateTimeOffset Yesterday = TimeProvider.System.GetUtcNow().AddDays(-1);

    private readonly X509Certificate2 _root = Create("root", null, isAuthority: true);
    private readonly X509Certificate2 _intermediate;
    private readonly X509Certificate2 _leaf;
    private readonly X509Chain _sent = new();

    public TrustedRootsValidationTests()
    {
        _intermediate = Create("intermediate", _root, isAuthority: true);
        _leaf = Create("leaf", _intermediate, isAuthority: false);
        _sent.ChainPolicy.ExtraStore.Add(_intermediate);
    }

    [Fact]
    public void Validate_ChainToTheRoot_IsAccepted() => Assert.True(Validate(_root, SslPolicyErrors.RemoteCertificateChainErrors));

    [Fact]
    public void Validate_SystemTrusts_IsAccepted()
    {
        using var other = Create("other", null, isAuthority: true);

        Assert.True(Validate(other, SslPolicyErrors.None));
    }

    [Fact]
    public void Validate_OtherRoot_IsRefused()
    {
        using var other = Create("root", null, isAuthority: true);

        Assert.False(Validate(other, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Theory]
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch)]
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors)]
    public void Validate_WrongName_IsNeverExcused(SslPolicyErrors errors)
        => Assert.Contains("it is for 'leaf.test', not for ", Refusal([_root], errors), StringComparison.Ordinal);

    [Fact]
    public void Validate_NoCertificate_IsRefused()
        => Assert.Throws<ServerCertificateException>(()
            => Validation([_root]).Validate(this, null, _sent, SslPolicyErrors.RemoteCertificateNotAvailable));

    /// <summary>As with OpenSSL's partial chains, a trusted certificate ends the chain, whether or not it is a root.</summary>
    [Fact]
    public void Validate_IntermediateIsTrusted_IsAccepted()
        => Assert.True(Validate(_intermediate, SslPolicyErrors.RemoteCertificateChainErrors));

    [Fact]
    public void Validate_IntermediateIsTrustedButNotSent_IsAccepted()
    {
        _sent.ChainPolicy.ExtraStore.Clear();

        Assert.True(Validate(_intermediate, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void Validate_IntermediateOfAnotherIsTrusted_IsRefused()
    {
        using var root = Create("root", null, isAuthority: true);
        using var other = Create("intermediate", root, isAuthority: true);

        Assert.False(Validate(other, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void Validate_SelfSignedLeafIsTrusted_IsAccepted()
    {
        using var leaf = Create("localhost", null, isAuthority: false);

        Assert.True(Validation([leaf]).Validate(this, leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.Throws<ServerCertificateException>(()
            => Validation([_root]).Validate(this, leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Validate_TwoRootsOfOneName_IsAcceptedInBothOrders(bool first)
    {
        using var other = Create("root", null, isAuthority: true);
        X509Certificate2Collection roots = first ? [_root, other] : [other, _root];

        Assert.True(Validation(roots).Validate(this, _leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void Validate_RootsChange_TheNewOnesCount()
    {
        X509Certificate2Collection roots = [];
        var validation = new TrustedRootsValidation(() => roots, TimeProvider.System);
        Assert.Throws<ServerCertificateException>(()
            => validation.Validate(this, _leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));

        roots = [_root];

        Assert.True(validation.Validate(this, _leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void Validate_IssuerUnknown_SaysWhereTheChainEnds()
    {
        using var other = Create("other", null, isAuthority: true);

        var words = Refusal([other], SslPolicyErrors.RemoteCertificateChainErrors);

        Assert.Contains(
            "its chain ends in 'CN=intermediate', whose issuer 'CN=root' is unknown here (PartialChain)",
            words,
            StringComparison.Ordinal);
        Assert.Contains("the 1 configured ('CN=other')", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-30, -20)]
    [InlineData(20, 30)]
    public void Validate_NotTimeValid_SaysWhichLinkWithItsDatesAndTheClock(int from, int to)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var leaf = Create("late", _intermediate, isAuthority: false, now.AddMinutes(from), now.AddMinutes(to));

        var refusal = Assert.Throws<ServerCertificateException>(()
            => Validation([_root]).Validate(this, leaf, _sent, SslPolicyErrors.RemoteCertificateChainErrors));

        Assert.Equal(AcmeUnreachableReason.CertificateNotTimeValid, refusal.Reason);
        Assert.Contains($"'CN=late' is valid from {now.AddMinutes(from):u} to {now.AddMinutes(to):u}, and this machine's clock says 20",
            refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not known", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The server's names are untrusted text.</summary>
    [Fact]
    public void Validate_NamesWithControlCharacters_AreCleaned()
    {
        using var leaf = Create("bad\u001b[31m\nfail: forged", _intermediate, isAuthority: false);

        var words = Assert.Throws<ServerCertificateException>(()
            => Validation([]).Validate(this, leaf, _sent, SslPolicyErrors.RemoteCertificateNameMismatch)).Message;

        Assert.DoesNotContain(words, char.IsControl);
    }

    public void Dispose()
    {
        _sent.Dispose();
        _leaf.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
    }

    private bool Validate(X509Certificate2 root, SslPolicyErrors errors)
    {
        try
        {
            return Validation([root]).Validate(this, _leaf, _sent, errors);
        }
        catch (ServerCertificateException)
        {
            return false;
        }
    }

    private string Refusal(X509Certificate2Collection roots, SslPolicyErrors errors)
        => Assert.Throws<ServerCertificateException>(() => Validation(roots).Validate(this, _leaf, _sent, errors)).Message;

    private static TrustedRootsValidation Validation(X509Certificate2Collection roots) => new(() => roots, TimeProvider.System);

    private static X509Certificate2 Create(string name, X509Certificate2? issuer, bool isAuthority, DateTimeOffset? notBefore = null,
        DateTimeOffset? notAfter = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (!isAuthority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("leaf.test");
            request.CertificateExtensions.Add(names.Build());
        }

        var from = notBefore ?? Yesterday;
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, from.AddDays(9));
        }

        using var certificate = request.Create(issuer, from, notAfter ?? from.AddDays(8), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
