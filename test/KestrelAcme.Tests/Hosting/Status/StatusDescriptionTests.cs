using System.Text.Json;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

/// <summary>The description of the status in an app with OpenAPI.</summary>
public sealed class StatusDescriptionTests
{
    [Fact]
    public async Task OpenApi_StatusPage_DescribesItsJson()
    {
        await using var app = await AcmeApp.StartAsync(
            new Dictionary<string, string?> { ["AcmeHttps:Enabled"] = "false", ["urls"] = "http://127.0.0.1:0" },
            configure: builder => builder.Services.AddOpenApi(),
            pipeline: web =>
            {
                web.MapOpenApi();
                web.MapGroup("/ops").MapAcmeHttpsStatus("/status");
            },
            cancellationToken: TestContext.Current.CancellationToken);

        using var response = await app.GetHttpAsync("/openapi/v1.json", cancellationToken: TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var document = JsonDocument.Parse(text);
        var path = document.RootElement.GetProperty("paths").GetProperty("/ops/status");
        var get = path.GetProperty("get");
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");

        Assert.Equal(["get"], path.EnumerateObject().Select(o => o.Name));
        Assert.Equal(["name", "page"], get.GetProperty("parameters").EnumerateArray().Select(p => p.GetProperty("name").GetString()));
        Assert.Equal(
            "#/components/schemas/StatusReport",
            get.GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("schema")
                .GetProperty("$ref").GetString());
        var row = schemas.GetProperty("StatusRow").GetProperty("properties");
        Assert.Contains("Valid", text, StringComparison.Ordinal);
        Assert.Equal("date-time", row.GetProperty("notAfter").GetProperty("format").GetString());
        Assert.True(schemas.GetProperty("StatusEvent").GetProperty("properties").TryGetProperty("message", out _));
        Assert.True(schemas.GetProperty("StatusReport").GetProperty("properties").TryGetProperty("onDemand", out _));
        Assert.True(schemas.GetProperty("StatusRefusedName").GetProperty("properties").TryGetProperty("reason", out _));
        Assert.DoesNotContain("live.js", text, StringComparison.Ordinal);
    }
}
