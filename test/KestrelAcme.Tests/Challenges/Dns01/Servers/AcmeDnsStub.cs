using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Tests.Challenges.Dns01.Servers;

/// <summary>
/// A stub of acme-dns that follows its documentation: POST /register returns 201 with a new account; POST /update with X-Api-User and
/// X-Api-Key keeps the last two values.
/// </summary>
internal sealed class AcmeDnsStub
{
    private readonly Dictionary<string, (string User, string Key)> _accounts = [];

    public Dictionary<string, List<string>> Values { get; } = [];

    public string? FirstKey => _accounts.Values.Select(a => a.Key).FirstOrDefault();

    /// <summary>Whether the server has lost its accounts.</summary>
    public bool HasForgotten { get; set; }

    public void Map(WebApplication app)
    {
        app.MapPost("/register", Register);
        app.MapPost("/update", UpdateAsync);
    }

    private IResult Register()
    {
        var subdomain = $"sub-{_accounts.Count}";
        _accounts[subdomain] = (Guid.NewGuid().ToString(), $"key-{Guid.NewGuid():N}");
        Values[subdomain] = [];
        return Results.Json(
            new JsonObject
            {
                ["username"] = _accounts[subdomain].User,
                ["password"] = _accounts[subdomain].Key,
                ["fulldomain"] = $"{subdomain}.auth.test",
                ["subdomain"] = subdomain,
                ["allowfrom"] = new JsonArray(),
            },
            statusCode: 201);
    }

    private async Task<IResult> UpdateAsync(HttpRequest request)
    {
        var body = (await JsonNode.ParseAsync(request.Body))!;
        var subdomain = (string)body["subdomain"]!;
        var credentials = (request.Headers["X-Api-User"].ToString(), request.Headers["X-Api-Key"].ToString());
        if (HasForgotten || !_accounts.TryGetValue(subdomain, out var account) || account != credentials)
        {
            return Results.Json(new JsonObject { ["error"] = "forbidden" }, statusCode: 401);
        }

        var values = Values[subdomain];
        values.Add((string)body["txt"]!);
        if (values.Count > 2)
        {
            values.RemoveAt(0);
        }

        return Results.Json(new JsonObject { ["txt"] = (string)body["txt"]! });
    }
}
