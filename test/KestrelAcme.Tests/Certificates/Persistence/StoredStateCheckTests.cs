using System.Text;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

/// <summary>Impossible values of a stored state are removed, and the rest is kept.</summary>
public sealed class StoredStateCheckTests
{
    [Theory]
    [InlineData("""{"state":99}""")]
    [InlineData("""{"state":"Valid","authorityFailures":{"ca":-7}}""")]
    [InlineData(
        """
        {"state":"Valid","failure":{"count":-2147483648,"message":"x","at":"9999-12-31T23:59:59Z","nextTry":"9999-12-31T23:59:59Z",
        "cause":"Name"}}
        """)]
    [InlineData(
        """
        {"state":"Valid","renewalInfo":{"windowStart":"2026-01-01T00:00:00Z","windowEnd":"2026-01-02T00:00:00Z",
        "chosenInstant":"0001-01-01T00:00:00Z","nextPoll":"9999-12-31T23:59:59Z"}}
        """)]
    [InlineData(
        """
        {"state":"Valid","pendingOrder":{"names":[],"keyAlgorithm":"EcdsaP256","privateKey":"","directoryUrl":"x","accountUrl":"y",
        "at":"9999-12-31T23:59:59Z","orderUrl":"/z"}}
        """)]
    public void Decode_ImpossibleValues_AreRemoved(string json)
    {
        var record = StateFile.Decode(Encoding.UTF8.GetBytes(json));

        Assert.True(Enum.IsDefined(record.State));
        Assert.Null(record.StoredOrder);
        Assert.Null(record.RenewalInfo);
        Assert.DoesNotContain(record.AuthorityFailures?.Values ?? [], count => count < 0);
        Assert.True(record.Failure is null or { Count: >= 0 });
    }

    [Fact]
    public void Decode_DamagedMetadata_LosesNothing()
    {
        var record = CertificateStateRecord.Empty with { State = CertificateState.Blocked, Issued = [DateTimeOffset.UnixEpoch] };
        foreach (var damage in new[] { "bom", "brace", "crlf", "utf16", "utf16-big-endian", "append" })
        {
            Assert.Equal(CertificateState.Blocked, StateFile.Decode(StoreDamage.Apply(damage, StateFile.Encode(record))).State);
        }
    }
}
