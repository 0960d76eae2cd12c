using System.Text;
using System.Text.Json.Nodes;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

/// <summary>The stored form of a state is a contract with stores that exist.</summary>
public sealed class StateFileTests
{
    // As earlier versions wrote it.
    private const string Stored =
        """
        {
          "version": 1,
          "state": "Blocked",
          "since": "2026-03-01T10:00:00+00:00",
          "failure": {
            "count": 3,
            "problemType": "urn:ietf:params:acme:error:caa",
            "message": "A CAA record forbids it.",
            "at": "2026-03-01T10:00:01+00:00",
            "nextTry": "2026-03-02T11:00:00+00:00",
            "localCount": 2,
            "wasOutage": true,
            "seen": "9f86d081884c7d65",
            "settings": "0123456789abcdef",
            "requiredRecords": [{ "name": "example.com", "type": "CAA", "value": "0 issue \"ca.test\"" }],
            "cause": "Operator"
          }
        }
        """;

    [Fact]
    public void Decode_StateOfAnEarlierVersion_KeepsTheWholeFailure()
    {
        var failure = StateFile.Decode(Encoding.UTF8.GetBytes(Stored)).Failure!;

        Assert.Equal(3, failure.Count);
        Assert.Equal("urn:ietf:params:acme:error:caa", failure.ProblemType);
        Assert.Equal("A CAA record forbids it.", failure.Message);
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 10, 0, 1, TimeSpan.Zero), failure.At);
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 11, 0, 0, TimeSpan.Zero), failure.NextAttempt);
        Assert.Equal(2, failure.LocalCount);
        Assert.True(failure.WasOutage);
        Assert.Equal("9f86d081884c7d65", failure.Seen);
        Assert.Equal("0123456789abcdef", failure.Settings);
        Assert.Equal("0 issue \"ca.test\"", Assert.Single(failure.RequiredRecords).Value);
        Assert.Equal(FailureCause.Operator, failure.Cause);
    }

    [Fact]
    public void Encode_StateOfAnEarlierVersion_WritesTheSameValues()
    {
        var written = JsonNode.Parse(StateFile.Encode(StateFile.Decode(Encoding.UTF8.GetBytes(Stored))))!.AsObject();

        var before = JsonNode.Parse(Stored)!.AsObject();
        Assert.DoesNotContain(before, property => !JsonNode.DeepEquals(property.Value, written[property.Key]));
    }
}
