using System.Security.Cryptography;
using KestrelAcme.Protocol.Accounts;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Accounts;

public sealed class AccountKeyTests
{
    [Theory]
    [InlineData(AccountKeyAlgorithm.ES256)]
    [InlineData(AccountKeyAlgorithm.ES384)]
    [InlineData(AccountKeyAlgorithm.RS256)]
    public void FromPem_Exported_IsTheSameKey(AccountKeyAlgorithm algorithm)
    {
        using var key = AccountKey.Generate(algorithm);
        using var copy = AccountKey.FromPem(key.ExportPkcs8Pem());

        Assert.Equal(algorithm, copy.Algorithm);
        Assert.Equal(key.Thumbprint, copy.Thumbprint);
        Assert.Equal($"{algorithm} {key.Thumbprint}", key.ToString());
    }

    [Fact]
    public void FromPem_OlderForms_AreRead()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);

        using var fromEc = AccountKey.FromPem(ec.ExportECPrivateKeyPem());
        using var fromRsa = AccountKey.FromPem(rsa.ExportRSAPrivateKeyPem());

        Assert.Equal(AccountKeyAlgorithm.ES256, fromEc.Algorithm);
        Assert.Equal(AccountKeyAlgorithm.RS256, fromRsa.Algorithm);
    }

    [Fact]
    public void FromPem_UnusableText_Throws()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem(
            "secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Assert.Throws<ArgumentException>(() => AccountKey.FromPem("no pem"));
        Assert.Throws<ArgumentException>(() => AccountKey.FromPem(encrypted));
        Assert.Throws<ArgumentException>(() => AccountKey.FromPem(key.ExportSubjectPublicKeyInfoPem()));
    }

    [Fact]
    public void DnsRecordValue_Token_IsTheHashOfTheKeyAuthorization()
    {
        using var key = AccountKey.Generate();
        var hash = SHA256.HashData(System.Text.Encoding.ASCII.GetBytes($"token_-9.{key.Thumbprint}"));

        Assert.Equal($"token_-9.{key.Thumbprint}", key.KeyAuthorization("token_-9"));
        Assert.Equal(System.Buffers.Text.Base64Url.EncodeToString(hash), key.DnsRecordValue("token_-9"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../etc")]
    [InlineData("a b")]
    [InlineData("tökén")]
    public void KeyAuthorization_NoToken_Throws(string token)
    {
        using var key = AccountKey.Generate();

        Assert.Throws<ArgumentException>(() => key.KeyAuthorization(token));
    }

    [Fact]
    public void IsSameKey_OwnAndOther_Differ()
    {
        using var key = AccountKey.Generate();
        using var own = ECDsa.Create();
        own.ImportFromPem(key.ExportPkcs8Pem());
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.True(key.IsSameKey(own));
        Assert.False(key.IsSameKey(other));
    }
}
