using KestrelAcme.Storage.FileSystem;
using KestrelAcme.StorageChild;
using Microsoft.Extensions.Logging.Abstractions;

// COMMAND ROOT [ARGUMENT...]: works on the store below ROOT as an instance of the app would.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: check|write|fill|hold|contend|present ROOT [ARGUMENT...]");
    return 2;
}

using var storage = new FileSystemStorage(args[1], TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
return args[0] switch
{
    "check" => await Commands.CheckAsync(storage),
    "write" => await Commands.WriteAsync(storage, args[2]),
    "fill" => await Commands.FillAsync(storage),
    "hold" => await Commands.HoldAsync(storage, args[2]),
    "contend" => await Commands.ContendAsync(storage, args[2], args[3], int.Parse(args[4], System.Globalization.CultureInfo.InvariantCulture)),
    "present" => await DnsCommand.PresentAsync(storage, args[2], args[3], args[4]),
    _ => 2,
};
