using System.Text.Json;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Problems;

public sealed class AcmeProblemTests
{
    [Fact]
    public void ToString_Subproblems_ByName()
    {
        var problem = Read("""
            {
              "type": "urn:ietf:params:acme:error:compound", "detail": "Two names failed", "status": 403,
              "instance": "https://acme.test/doc",
              "subproblems": [
                {"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids\nit","identifier":{"type":"dns","value":"A.example"}},
                {"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"On a list",
                  "identifier":{"type":"ip","value":"192.0.2.1"}},
                null
              ]
            }
            """);

        Assert.Equal(
            "compound: Two names failed; a.example: caa: CAA forbids it; 192.0.2.1: rejectedIdentifier: On a list", problem.ToString());
        Assert.True(problem.Contains(AcmeProblemTypes.Caa));
        Assert.False(problem.Is(AcmeProblemTypes.Caa));
        Assert.Equal(403, problem.Status);
        Assert.Equal("https://acme.test/doc", problem.Instance!.AbsoluteUri);
    }

    [Fact]
    public void FromDocument_Hostile_IsBounded()
    {
        var sub = $$"""{"type":"urn:x","detail":"{{new string('y', 5000)}}","subproblems":[{"type":"urn:deeper"}]}""";
        var problem = Read($$"""
            {"type":"urn:ietf:params:acme:error:malformed","title":"Title only","status":"400","instance":"javascript:alert(1)",
            "subproblems":[{{string.Join(',', Enumerable.Repeat(sub, 500))}}]}
            """);

        Assert.Equal("Title only", problem.Detail);
        Assert.Equal(400, problem.Status);
        Assert.Null(problem.Instance);
        Assert.Equal(200, problem.Subproblems.Count);
        Assert.Empty(problem.Subproblems[0].Subproblems);
        Assert.InRange(problem.Subproblems[0].Detail.Length, 1, 2001);
        Assert.InRange(problem.ToString().Length, 1, 4001);
    }

    [Fact]
    public void FromDocument_Empty_IsBlank()
    {
        var problem = Read("{}");

        Assert.Equal("about:blank", problem.Type);
        Assert.Equal("about:blank", problem.ToString());
    }

    [Fact]
    public void ToString_BadSignatureAlgorithm_ListsTheGoodOnes()
    {
        var problem = Read(
            """{"type":"urn:ietf:params:acme:error:badSignatureAlgorithm","detail":"Not ES384.","algorithms":["ES256","RS256"]}""");

        Assert.Equal("badSignatureAlgorithm: Not ES384. The server accepts ES256, RS256.", problem.ToString());
    }

    private static AcmeProblem Read(string json) =>
        AcmeProblem.FromDocument(JsonSerializer.Deserialize(json, AcmeJson.Default.ProblemDocument))!;
}
