using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Protocol.Jose;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Jose;

public sealed class JwsSignerTests
{
    private static readonly byte[] Payload = Rfc7515.Bytes(Rfc7515.Payload);

    [Fact]
    public void Write_Rs256OfRfc7515_SameSignature()
    {
        using var key = Rfc7515.RsaKey();

        var jws = Jws("""{"alg":"RS256"}"""u8, JwsSigner.For(key).Sign);

        Assert.Contains($"\"payload\":\"{Rfc7515.Payload}\",\"signature\":\"{Rfc7515.RsaSignature}\"", jws, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Hs256OfRfc7515_SameSignature()
    {
        using var key = HmacJwsKey.FromText(Rfc7515.HmacKey);

        var jws = Jws("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"u8, key.Sign);

        Assert.Contains($"\"signature\":\"{Rfc7515.HmacSignature}\"", jws, StringComparison.Ordinal);
    }

    [Fact]
    public void Jwk_EcKeyOfRfc7515_VerifiesTheSignatureThere()
    {
        using var key = Rfc7515.EcKey();
        var signer = JwsSigner.For(key);

        Assert.Equal(
            """{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","""
            + "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
            Encoding.ASCII.GetString(signer.Jwk()));
        var input = Encoding.ASCII.GetBytes($"{Base64Url.EncodeToString("""{"alg":"ES256"}"""u8)}.{Rfc7515.Payload}");
        Assert.True(key.VerifyData(input, Rfc7515.Bytes(Rfc7515.EcSignature), HashAlgorithmName.SHA256));
        Assert.True(
            key.VerifyData(input, signer.Sign(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    [Fact]
    public void Sign_P384_IsEs384WithFixedLength()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var signer = JwsSigner.For(key);

        var signature = signer.Sign(Payload);

        Assert.Equal("ES384", signer.Algorithm);
        Assert.Equal(96, signature.Length);
        Assert.True(key.VerifyData(Payload, signature, HashAlgorithmName.SHA384));
    }

    [Fact]
    public void Thumbprint_RsaKeyOfRfc7638_IsTheOneThere()
    {
        using var key = RSA.Create(new RSAParameters
        {
            Exponent = [1, 0, 1],
            Modulus = Rfc7515.Bytes(
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
                + "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
                + "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
                + "nqDKgw"),
        });

        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", JwsSigner.For(key).Thumbprint);
    }

    [Fact]
    public void For_WeakOrForeignKeys_Throws()
    {
        using var secp256k1 = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using var rsa1024 = RSA.Create(1024);

        Assert.Throws<ArgumentException>(() => JwsSigner.For(secp256k1));
        Assert.Throws<ArgumentException>(() => JwsSigner.For(p521));
        Assert.Throws<ArgumentException>(() => JwsSigner.For(rsa1024));
    }

    [Fact]
    public async Task Sign_ManyThreads_AllSignaturesVerify()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signer = JwsSigner.For(key);

        var signatures = await Task.WhenAll(
            Enumerable.Range(0, 64).Select(_ => Task.Run(() => signer.Sign(Payload), TestContext.Current.CancellationToken)));

        Assert.All(signatures, signature => Assert.True(key.VerifyData(Payload, signature, HashAlgorithmName.SHA256)));
    }

    private static string Jws(ReadOnlySpan<byte> header, FlattenedJws.Signature sign) =>
        Encoding.ASCII.GetString(FlattenedJws.Write(header, Payload, sign));
}
