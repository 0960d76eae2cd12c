using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class TrustedRootsValidationTests : IDisposable
{
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
    [InlineData(SslPolicyErrors.RemoteCertificateNotAvailable)]
    public void Validate_WrongName_IsNeverExcused(SslPolicyErrors errors) => Assert.False(Validate(_root, errors));

    public void Dispose()
    {
        _sent.Dispose();
        _leaf.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
    }

    private bool Validate(X509Certificate2 root, SslPolicyErrors errors) => new TrustedRootsValidation([root]).Validate(this, _leaf, _sent, errors);

    private static X509Certificate2 Create(string name, X509Certificate2? issuer, bool isAuthority)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        var from = TimeProvider.System.GetUtcNow().AddDays(-1);
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, from.AddDays(9));
        }

        using var certificate = request.Create(issuer, from, from.AddDays(8), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
