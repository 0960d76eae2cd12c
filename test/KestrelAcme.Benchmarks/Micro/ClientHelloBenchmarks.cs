using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Benchmarks.Micro;

/// <summary>Reading a ClientHello, and letting a connection pass that is not TLS.</summary>
[MemoryDiagnoser]
public class ClientHelloBenchmarks
{
    private readonly ReadOnlySequence<byte> _named = new(ClientHelloBuilder.For("www.example.test", "h2", "http/1.1").Build());
    private readonly ReadOnlySequence<byte> _unnamed = new(ClientHelloBuilder.For(null, "h2", "http/1.1").Build());
    private ClientHelloMiddleware _middleware = null!;
    private DefaultConnectionContext _plain = null!;

    [GlobalSetup]
    public void SetUp()
    {
        var services = new ServiceCollection().AddLogging().AddKestrelTls()
            .AddSingleton<Microsoft.Extensions.Hosting.IHostEnvironment>(new Microsoft.Extensions.Hosting.Internal.HostingEnvironment())
                .BuildServiceProvider();
        _middleware = new ClientHelloMiddleware(
            _ => Task.CompletedTask, handshakeTimeout: null, services.GetRequiredService<ClientHelloServices>());
        var input = new Pipe();
        input.Writer.Write("GET / HTTP/1.1\r\n\r\n"u8);
        input.Writer.FlushAsync().AsTask().Wait();
        _plain = new DefaultConnectionContext(
            "1", new Transport(input.Reader, new Pipe().Writer), new Transport(input.Reader, new Pipe().Writer));
    }

    [Benchmark]
    public string? Read()
    {
        var reader = new ClientHelloReader();
        reader.Read(_named, out var hello);
        return hello.ServerName;
    }

    [Benchmark]
    public bool ReadWithoutName()
    {
        var reader = new ClientHelloReader();
        reader.Read(_unnamed, out var hello);
        return hello.IsAcmeTls;
    }

    [Benchmark]
    public Task PassThrough() => _middleware.OnConnectionAsync(_plain);

    private sealed class Transport(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
