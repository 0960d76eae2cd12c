using System.Security.Cryptography;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Tests.Certificates.Import;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class AccountKeyReaderTests
{
    // The lengths of numbers vary: with many keys, some begin with a zero.
    [Fact]
    public void Read_JwkWithoutLeadingZeros_IsTheKey()
    {
        for (var i = 0; i < 600; i++)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var facts = TestFacts.Production with { ReadFile = _ => SampleImports.Jwk(key) };

            var read = AccountKeyReader.Read("/key.json", "AccountKeyFile", facts, new ProblemList());

            Assert.NotNull(read);
            using var same = ECDsa.Create();
            same.ImportFromPem(read.Pem);
            Assert.Equal(key.ExportSubjectPublicKeyInfo(), same.ExportSubjectPublicKeyInfo());
        }
    }

    [Fact]
    public void Read_JwkWithHalfACharacter_IsAProblem()
    {
        var facts = TestFacts.Production with { ReadFile = _ => """{"kty":"EC","crv":"P-256","x":"\uD800","y":"AA","d":"AA"}""" };
        var problems = new ProblemList();

        Assert.Null(AccountKeyReader.Read("/key.json", "AccountKeyFile", facts, problems));
        Assert.NotEmpty(problems.All);
    }
}
