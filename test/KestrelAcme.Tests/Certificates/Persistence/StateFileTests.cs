using System.Security.Cryptography;
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

    // Every field, in the form and order in which the serializer of earlier versions wrote them.
    private const string Everything =
        """
        {"version":2,"state":"Blocked","since":"2026-03-01T10:00:00+00:00","failure":{"count":3,"problemType":"a","message":"b",
        "at":"2026-03-01T10:00:01.25+00:00","nextTry":"2026-03-02T11:00:00+00:00","localCount":2,"wasOutage":true,"seen":"c",
        "addresses":{"sets":["d","e"],"awaitsLook":true,"broughtForward":["2026-03-01T10:00:02+00:00"]},"settings":"f",
        "requiredRecords":[{"name":"example.com","type":"CAA","value":"0 issue \u0022ca.test\u0022"}],"cause":"Operator"},
        "renewalInfo":{"serialNumber":"0A","windowStart":"2026-03-03T10:00:00+00:00","windowEnd":"2026-03-05T10:00:00+00:00",
        "chosenInstant":"2026-03-04T10:00:00+00:00","nextPoll":"2026-03-02T10:00:00+00:00","failures":1,
        "explanationUrl":"https://ca.test/why"},"pendingOrder":{"names":["example.com"],"keyAlgorithm":"EcdsaP256","privateKey":"KEY",
        "directoryUrl":"https://ca.test/dir","accountUrl":"https://ca.test/1","profile":"g","at":"2026-03-01T10:00:03+00:00",
        "orderUrl":"https://ca.test/2","postedAt":"2026-03-01T10:00:04+00:00","isCounted":true,"expires":"2026-03-08T10:00:00+00:00",
        "refusals":4,"certificateUrl":"https://ca.test/3"},"revocation":{"serialNumber":"0B","at":"2026-03-01T10:00:05+00:00",
        "onPurpose":true,"reason":"KeyCompromise"},"issued":["2026-03-01T10:00:06+00:00"],
        "issuedBy":["https://ca.test/directory"],
        "failedValidations":["2026-03-01T10:00:07+00:00"],"authorityFailures":{"h":5},"heldUntil":{"i":"2026-03-01T10:00:08+00:00"},
        "lookedAt":"2026-03-01T10:00:09+00:00","failedChallengeTypes":["http-01"],"rehearse":true,
        "rehearsalDownSince":"2026-03-01T10:00:10+00:00","recordsEnd":"2026-03-01T10:00:11+00:00","cutOff":true,"keyRefused":true}
        """;

    [Fact]
    public void Encode_EveryField_IsTheTextOfEarlierVersions()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var text = Everything.ReplaceLineEndings("").Replace("KEY", Convert.ToBase64String(key.ExportPkcs8PrivateKey()));

        var state = StateFile.Decode(Encoding.UTF8.GetBytes(text));

        // A property that is not read would have its default.
        AssertAllSet(state);
        Assert.Equal(text.Replace("+", "\\u002B"), Encoding.UTF8.GetString(StateFile.Encode(state)).Replace("+", "\\u002B"));
    }

    [Theory]
    [InlineData("{\"state\":5,\"unknown\":[1]}", true)]
    [InlineData("{\"state\":\"valid\",\"failure\":null,\"issued\":null}", true)]
    [InlineData("{\"state\":\"Nonsense\"}", false)]
    [InlineData("{\"since\":\"yesterday\"}", false)]
    [InlineData("{\"failure\":{\"count\":1}}", false)]
    [InlineData("{\"issued\":\"2026-03-01T10:00:06+00:00\"}", false)]
    [InlineData("[]", false)]
    [InlineData("null", false)]
    [InlineData("{\"version\":1", false)]
    [InlineData("{\"version\":\"1\"}", false)]
    public void Decode_OddValue_IsReadOrDamaged(string json, bool isRead)
        => Assert.Equal(isRead, Record.Exception(() => StateFile.Decode(Encoding.UTF8.GetBytes(json))) is not DamagedValueException);

    private static void AssertAllSet(object value)
    {
        foreach (var property in value.GetType().GetProperties().Where(p => p.CanWrite))
        {
            var set = property.GetValue(value);
            Assert.False(
                set is null || (property.PropertyType.IsValueType && set.Equals(Activator.CreateInstance(property.PropertyType))),
                $"{property.DeclaringType!.Name}.{property.Name}");
            foreach (var part in set is IEnumerable<object> parts ? parts : [set])
            {
                if (!part.GetType().IsValueType && part.GetType().Namespace!.StartsWith("KestrelAcme", StringComparison.Ordinal))
                {
                    AssertAllSet(part);
                }
            }
        }
    }
}
