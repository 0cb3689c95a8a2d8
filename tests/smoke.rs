//! smoke
use handloop::*;
use std::time::Duration;
#[test] fn a(){
  let el=EventLoop::builder().virtual_clock().build();
  let s=el.time();
  let r=el.run_until_complete(async{ let t=[1,2,4].map(|x| spawn(async move{ sleep(Duration::from_secs(x)).await; x})); gather(t).await.unwrap()});
  assert_eq!(r,[1,2,4]); assert_eq!(el.time()-s, Duration::from_secs(4));
}
#[test] fn b(){
  let el=EventLoop::new();
  let s=el.time();
  let r=el.run_until_complete(async{ let t=[10,20,40].map(|x| spawn(async move{ sleep(Duration::from_millis(x)).await; x})); gather(t).await.unwrap()});
  assert_eq!(r,[10,20,40]); println!("{:?}",el.time()-s);
}
#[test] fn c(){
  let el=EventLoop::new(); let h=el.handle();
  let t=std::thread::spawn(move||{ for i in 0..1000 { assert_eq!(h.submit(async move{ yield_now().await; i}).result().unwrap(), i);} h.stop();});
  el.run_forever(); t.join().unwrap();
}
#[test] fn d(){
  let el=EventLoop::new();
  println!("{}", el.try_run_until_complete(async{ let t=spawn(std::future::pending::<()>()); let _=t.await; }).unwrap_err());
  println!("{}", el.try_run_until_complete(async{ let t=spawn(std::future::pending::<()>()); let _=gather([t]).await; }).unwrap_err());
  let (p,f)=create_future::<()>(); drop(p);
  el.run_until_complete(f).unwrap_err();
}
#[test] fn e(){
  run(async { let j=run_in_executor(|| 5).await.unwrap(); assert_eq!(j,5);
   let t=spawn(async { panic!("x") }); let e=t.await.map(|()|()).unwrap_err(); println!("{e}");
   drop(spawn(async { panic!("nobody") })); yield_now().await; yield_now().await; });
}
