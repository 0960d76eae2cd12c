using System.Net;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

public sealed class RedisConnectionTextTests
{
    [Theory]
    [InlineData(null, "ConnectionStrings:redis")]
    [InlineData(" ", "ConnectionStrings:redis")]
    [InlineData("redis://user:hunter2@localhost:6379", "is a URL")]
    [InlineData("rediss://:hunter2@localhost", "is a URL")]
    [InlineData("localhost,password=abc,hunter2", "password contains a comma")]
    [InlineData("localhost,password=abc,hunter2=1", "password contains a comma")]
    [InlineData("localhost,ssl=hunter2", "cannot be read")]
    [InlineData("user:hunter2@localhost:6379", "addresses")]
    [InlineData("password=hunter2", "addresses")]
    [InlineData("localhost:99999,password=hunter2", "cannot be read")]
    public void Parse_Unusable_SaysWhyAndShowsNothingOfIt(string? text, string reason)
    {
        var exception = Assert.Throws<ArgumentException>(() => RedisConnectionText.Parse(text));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains("redis.example.com:6380", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", exception.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("99999", exception.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "localhost:6379")]
    [InlineData("redis.example.com,ssl=true,password=hunter2", "redis.example.com:6380")]
    [InlineData("a:1, b:2 ,c:3,password=hunter2,user=x", "a:1, b:2, c:3")]
    [InlineData("a,b,c,d,e", "a:6379, b:6379, c:6379 and 2 more")]
    [InlineData("[::1]:7000", "[::1]:7000")]
    [InlineData("127.0.0.1:7000,$INFO=,password=p=w", "127.0.0.1:7000")]
    public void Show_Endpoints_AreHostAndPort(string text, string expected)
    {
        var options = RedisConnectionText.Parse(text);
        Assert.Equal(expected, RedisConnectionText.Show([.. options.EndPoints], options.Ssl));
    }

    [Fact]
    public void Show_EndpointThatIsAUrl_IsLeftOut()
        => Assert.Equal(
            "the app's connection", RedisConnectionText.Show([new DnsEndPoint("redis://:hunter2@localhost", 6379)], tls: false));

    [Fact]
    public void Show_ConfigurationWithoutEndpoints_IsRefused()
        => Assert.Throws<ArgumentException>(
            () => RedisConnectionText.ThrowIfInvalid(new ConfigurationOptions().EndPoints, "configuration"));
}
